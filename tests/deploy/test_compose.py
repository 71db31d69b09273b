"""docker-compose.yml and the Dockerfile, as far as they can be judged without Docker: files, ports, flags, promises."""

import re
import tomllib
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.batching import BatchingParameters
from streamer import config
from streamer.inference.channel import OPTIONS
from tests.peers.required import REPOSITORY

COMPOSE = REPOSITORY / "docker-compose.yml"
MODEL_SERVERS = ("serving", "serving-gpu")
REPLICAS = ("replica-1", "replica-2", "replica-3")

# tensorflow_model_server 2.19 --help, those we use (tensorflow_serving/model_servers/main.cc).
SERVER_FLAGS = {
    "port",
    "rest_api_port",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "enable_batching",
    "batching_parameters_file",
    "monitoring_config_file",
    "grpc_channel_arguments",
    "grpc_max_threads",
    "enable_grpc_healthcheck_service",
    "enable_serialization_as_tensor_content",
    "tensorflow_intra_op_parallelism",
    "tensorflow_inter_op_parallelism",
}


def compose() -> dict[str, Any]:
    """Give docker-compose.yml with every ${NAME:-default} replaced by its default, as with an empty environment."""
    found: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text()))
    return found


def service(name: str) -> dict[str, Any]:
    """Give one service of docker-compose.yml."""
    found: dict[str, Any] = compose()["services"][name]
    return found


def mounts(name: str) -> dict[str, str]:
    """Give what a service has mounted, by the path inside: the path or the volume outside."""
    entries = [
        (entry["target"], entry["source"]) if isinstance(entry, dict) else tuple(entry.split(":")[1::-1])
        for entry in service(name).get("volumes", [])
    ]
    return dict(entries)


def flags(name: str) -> dict[str, str]:
    """Give the command line of a service as flag to value."""
    return dict(argument.removeprefix("--").split("=", 1) for argument in service(name)["command"])


def channel_arguments(name: str) -> dict[str, int]:
    """Give the gRPC channel arguments of a model server."""
    return {key: int(value) for key, value in re.findall(r"([^=,]+)=([^,]+)", flags(name)["grpc_channel_arguments"])}


def server_addresses() -> list[str]:
    """Give every address Docker can give a model server: the subnet's, without its gateway."""
    [settings] = compose()["networks"]["serving"]["ipam"]["config"]
    hosts = [str(host) for host in IPv4Network(settings["subnet"]).hosts()]
    hosts.remove(settings["gateway"])
    return hosts


def mounted_text(name: str, inside: str) -> str:
    """Read a file of the repository by the path a container sees it under."""
    return (REPOSITORY / mounts(name)[inside]).read_text()


@pytest.mark.parametrize("name", compose()["services"])
def test_mounted_files_exist(name: str) -> None:
    """What a container has mounted is a volume that is declared, or a file that is in the repository."""
    for outside in mounts(name).values():
        if outside.startswith("."):
            assert (REPOSITORY / outside).exists(), outside
        else:
            assert outside in compose()["volumes"]


def test_profiles_differ_in_the_model_server() -> None:
    """Each profile exports, then starts one model server, the service, Prometheus and Grafana; one has replicas."""
    cluster = {*REPLICAS, "prometheus-cluster", "nats", "postgres"}
    for profile, server, ours in (
        ("cpu", "serving", {"service", "prometheus"}),
        ("gpu", "serving-gpu", {"service", "prometheus"}),
        ("cluster", "serving", cluster),
    ):
        started = {name for name, settings in compose()["services"].items() if profile in settings["profiles"]}
        assert started == {"export", server, "grafana", *ours}
        assert service(server)["depends_on"]["export"]["condition"] == "service_completed_successfully"


def test_no_port_is_published() -> None:
    """No container publishes a port: the page is on the host's network, the model server on none but its own."""
    assert [name for name, settings in compose()["services"].items() if "ports" in settings] == []
    for name in MODEL_SERVERS:
        assert "network_mode" not in service(name)
        assert compose()["networks"]["serving"]["internal"] is True


@pytest.mark.parametrize("name", ["service", *REPLICAS])
def test_service_is_on_the_hosts_network(name: str) -> None:
    """WebRTC candidates can be reached, because the service sees the host's own addresses."""
    assert service(name)["network_mode"] == "host"


@pytest.mark.parametrize("name", ["prometheus", "prometheus-cluster", "grafana"])
def test_dashboards_listen_on_loopback(name: str) -> None:
    """What asks for no password on the host's network listens for this machine alone."""
    settings = service(name)
    listening = settings.get("environment", {}).get("GF_SERVER_HTTP_ADDR") or flags(name)["web.listen-address"]
    assert listening.split(":")[0] == "127.0.0.1"


@pytest.mark.parametrize("name", MODEL_SERVERS)
def test_model_server_flags_are_known(name: str) -> None:
    """The model server is given flags it has, and answers gRPC on port 5000."""
    given = flags(name)
    assert given.keys() <= SERVER_FLAGS
    assert given["port"] == "5000"
    assert given["enable_batching"] == "true"


@pytest.mark.parametrize("name", MODEL_SERVERS)
def test_model_server_allows_our_pings(name: str) -> None:
    """The model server takes a ping a second without data, which is how the service notices a dead one (finding F4)."""
    given = channel_arguments(name)
    assert given["grpc.http2.min_ping_interval_without_data_ms"] <= dict(OPTIONS)["grpc.keepalive_time_ms"]
    assert given["grpc.http2.max_ping_strikes"] == 0


@pytest.mark.parametrize("name", MODEL_SERVERS)
def test_model_server_can_be_one_of_several(name: str) -> None:
    """A model server has no address of its own, tells its health, and ends connections so that others are found."""
    settings = service(name)
    assert settings["networks"] == ["serving"]
    assert "container_name" not in settings
    assert flags(name)["enable_grpc_healthcheck_service"] == "true"
    given = channel_arguments(name)
    assert given["grpc.max_connection_age_ms"] == 30_000
    # A call under way when its connection ends has longer than any frame is worth.
    assert given["grpc.max_connection_age_grace_ms"] >= 1000 * config.ServingSettings.model_fields["deadline"].default


@pytest.mark.parametrize("name", MODEL_SERVERS)
def test_threads_do_not_limit_the_batch(name: str) -> None:
    """There are gRPC threads for twice the frames of the batches that run at once."""
    parameters = BatchingParameters.read(REPOSITORY / mounts(name)[flags(name)["batching_parameters_file"]])
    assert int(flags(name)["grpc_max_threads"]) >= 2 * parameters.max_batch_size * parameters.num_batch_threads


def test_gpu_server_has_a_gpu() -> None:
    """The GPU profile's model server reserves one GPU and runs the GPU image; the CPU profile's reserves none."""
    [device] = service("serving-gpu")["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"], device["capabilities"]) == ("nvidia", 1, ["gpu"])
    assert service("serving-gpu")["image"] == service("serving")["image"] + "-gpu"
    assert "deploy" not in service("serving")


@pytest.mark.parametrize("name", MODEL_SERVERS)
def test_model_list_is_read_by_its_proto(name: str) -> None:
    """The model list parses as the message TensorFlow Serving reads it as, and holds the model the service asks for."""
    text = mounted_text(name, flags(name)["model_config_file"])
    models = text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert {Path(model.base_path).parent for model in models} == {Path("/models")}, "the volume is mounted there"
    assert config.ServingSettings().model in {model.name for model in models}


@pytest.mark.parametrize("name", MODEL_SERVERS)
def test_prometheus_scrapes_the_model_server(name: str) -> None:
    """Prometheus asks for the path the model server publishes its metrics at, on its REST port."""
    [published] = re.findall(r'path: "(\S+)"', mounted_text(name, flags(name)["monitoring_config_file"]))
    jobs = yaml.safe_load((REPOSITORY / "monitoring/prometheus.yml").read_text())["scrape_configs"]
    [scrape] = [job for job in jobs if job["job_name"] == "tensorflow-serving"]
    assert scrape["metrics_path"] == published
    hosts, ports = zip(*(target.split(":") for target in scrape["static_configs"][0]["targets"]), strict=True)
    assert set(ports) == {flags(name)["rest_api_port"]}
    assert set(hosts) == {entry.split(":")[0] for entry in service("prometheus")["extra_hosts"]}


@pytest.mark.parametrize("name", MODEL_SERVERS)
def test_batches_are_as_large_as_the_service_makes_them(name: str) -> None:
    """No request of the service is larger than the largest batch, which TensorFlow Serving would refuse."""
    parameters = BatchingParameters.read(REPOSITORY / mounts(name)[flags(name)["batching_parameters_file"]])
    assert config.ServingSettings().max_batch_size <= parameters.max_batch_size


def test_default_configuration_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration mounted by default is read by the service, and asks every address a model server can have."""
    for variable, value in service("service")["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = config.load(REPOSITORY / mounts("service")["/etc/sightline/sightline.yaml"])
    port = flags("serving")["port"]
    assert settings.serving.address == "ipv4:" + ",".join(f"{host}:{port}" for host in server_addresses())
    assert settings.server.port == 8000, "the image's health check asks there"


def test_who_comes_in_is_asked_and_prometheus_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default configuration starts without users, lets nobody watch, and keeps users where it may write."""
    for variable, value in service("service")["environment"].items():
        monkeypatch.setenv(variable, value)
    access = config.load(REPOSITORY / mounts("service")["/etc/sightline/sightline.yaml"]).access
    assert access is not None
    assert access.anonymous == ["metrics"]
    folder = str(Path(access.store or "").parent)
    assert mounts("service")[folder] in compose()["volumes"]
    assert is_ours(folder)
    image = (REPOSITORY / "Dockerfile").read_text()
    assert "\nWORKDIR /etc/sightline\n" in image, "a command there finds ./sightline.yaml"


def is_ours(folder: str) -> bool:
    """Whether the service's image has this folder, of which an empty volume takes over the owner."""
    image = (REPOSITORY / "Dockerfile").read_text()
    return bool(re.search(rf"install -d -o sightline -g sightline -m 0700 {folder}( \\)?\n", image))


def test_prometheus_has_a_name_for_every_model_server() -> None:
    """Each address a model server can have has its own name in Prometheus' container, ending in its last number."""
    names = dict(entry.split(":") for entry in service("prometheus")["extra_hosts"])
    assert {host: f"serving-{host.rsplit('.', 1)[1]}" for host in server_addresses()} == {
        host: name for name, host in names.items() if name != "serving"
    }


def test_one_variable_moves_the_network() -> None:
    """Where the addresses are taken, SIGHTLINE_SERVING_NET moves all of them at once."""
    text = COMPOSE.read_text()
    moved = re.sub(r"\$\{SIGHTLINE_SERVING_NET:-([^}]*)\}", "192.168.213", text)
    assert "10.213.77" not in moved
    assert text.count("${SIGHTLINE_SERVING_NET:-10.213.77}") == text.count("SIGHTLINE_SERVING_NET")


def test_dockerfile_copies_what_exists() -> None:
    """The images are built from files that are in the repository and that .dockerignore lets in."""
    allowed = re.findall(r"^!(\S+)", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    assert [name for name in allowed if not (REPOSITORY / name).exists()] == []
    wheel = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    # They are links to folders that must come along.
    paths = [REPOSITORY / "streamer" / "page", *(REPOSITORY / package for package in wheel["packages"])]
    for path in paths:
        assert {place.relative_to(REPOSITORY).parts[0] for place in (path, path.resolve())} <= set(allowed)
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    assert set(re.findall(r"requirements\S*\.lock", dockerfile)) <= set(allowed)


def test_compose_builds_stages_that_exist() -> None:
    """Each image built here is a stage of the Dockerfile."""
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE))
    assert {settings["build"]["target"] for settings in compose()["services"].values() if "build" in settings} <= stages


def test_service_image_is_small_and_unprivileged() -> None:
    """The image that runs is installed from the lock without TensorFlow, and not as root."""
    assert "tensorflow" not in (REPOSITORY / "requirements-service.lock").read_text()
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    runtime = dockerfile.split(" AS base")[1]
    assert "USER sightline" in runtime
    assert "USER root" not in runtime
    assert "COPY --from=build /opt/sightline" in runtime.split(" AS service")[1]


def test_images_are_pinned() -> None:
    """No image floats: each names a version."""
    for name, settings in compose()["services"].items():
        if "build" not in settings:
            assert re.search(r":v?\d+\.\d+\.\d+(-gpu|-alpine)?$|^postgres:\d+\.\d+$", settings["image"]), name
