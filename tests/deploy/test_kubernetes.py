"""deploy/kubernetes, as far as it can be judged without a cluster: Kubernetes' own schemas, and what we promise."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from unittest import mock

import kubernetes_validate
import pytest
import yaml

from serving.batching import BatchingParameters
from streamer import config
from tests.deploy.test_compose import flags, mounts, service
from tests.peers import kustomization
from tests.peers.required import REPOSITORY, requires

KUBERNETES = REPOSITORY / "deploy" / "kubernetes"
OVERLAYS = ("base", "gpu", "autoscale", "cluster")
OLDEST = "1.27"
"""The first version of Kubernetes in which probes by gRPC are for everybody."""
COMPOSE = {"base": "serving", "gpu": "serving-gpu", "autoscale": "serving", "cluster": "serving"}
"""The service of docker-compose.yml an overlay's model server is like."""
SECRET = {"CLUSTER_KEY": "k" * 32, "NATS_PASSWORD": "n1", "POSTGRES_PASSWORD": "p1"}
"""What the Secret `cluster` holds."""
POD = {"spec.nodeName": "hangar-1.example.org", "status.hostIP": "10.0.0.7"}
"""What Kubernetes tells a pod about itself."""


def one(overlay: str, kind: str, name: str) -> Any:
    """Give one object of an overlay."""
    [found] = [
        found
        for found in kustomization.build(KUBERNETES / overlay)
        if found["kind"] == kind and found["metadata"]["name"] == name
    ]
    return found


def pod(overlay: str, name: str) -> Any:
    """Give the pods' specification of a Deployment."""
    return one(overlay, "Deployment", name)["spec"]["template"]["spec"]


def container(overlay: str, name: str) -> Any:
    """Give the one container of a Deployment's pods."""
    [found] = pod(overlay, name)["containers"]
    return found


def arguments(overlay: str) -> dict[str, str]:
    """Give the model server's command line as flag to value."""
    return dict(argument.removeprefix("--").split("=", 1) for argument in container(overlay, "serving")["args"])


def age_s(overlay: str) -> float:
    """Give the seconds after which the model server ends a connection."""
    found = re.search(r"grpc\.max_connection_age_ms=(\d+)", arguments(overlay)["grpc_channel_arguments"])
    assert found
    return int(found[1]) / 1000


def settings(overlay: str, folder: Path) -> config.Config:
    """Read the service's configuration as the service does."""
    path = folder / "sightline.yaml"
    path.write_text(one(overlay, "ConfigMap", "sightline")["data"]["sightline.yaml"])
    with mock.patch.dict(os.environ, environment(overlay)):
        return config.load(path)


def environment(overlay: str) -> dict[str, str]:
    """Give the environment of the service's pods."""
    found = container(overlay, "sightline")
    own = {each["name"]: POD[each["valueFrom"]["fieldRef"]["fieldPath"]] for each in found.get("env", [])}
    return own | (SECRET if {"secretRef": {"name": "cluster"}} in found["envFrom"] else {})


def pods(overlay: str) -> Iterator[tuple[str, Any]]:
    """Give every kind of pod with its object's name."""
    for found in kustomization.build(KUBERNETES / overlay):
        if "template" in found.get("spec", {}):
            yield found["metadata"]["name"], found["spec"]["template"]


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_what_kubernetes_takes(overlay: str, version: str) -> None:
    """Every object is of its kind's schema, with no key the schema lacks, in the oldest and the newest version."""
    for found in kustomization.build(KUBERNETES / overlay):
        kubernetes_validate.validate(found, version, strict=True)


def test_every_file_is_used() -> None:
    """Every file a kustomization names is there, and every file but those for others than kubectl is named."""
    named = {"autoscale/prometheus-adapter.yaml", "cluster/nats-values.yaml"}
    for overlay in OVERLAYS:
        found = kustomization.read(KUBERNETES / overlay)
        files = [*found.get("resources", []), *(patch["path"] for patch in found.get("patches", []))]
        files += [
            file.split("=")[-1] for generator in found.get("configMapGenerator", []) for file in generator["files"]
        ]
        assert all((KUBERNETES / overlay / file).exists() for file in files)
        named |= {f"{overlay}/{file}" for file in (*files, "kustomization.yaml")}
    assert {path.relative_to(KUBERNETES).as_posix() for path in KUBERNETES.rglob("*.*")} <= named


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomize_makes_the_same(overlay: str) -> None:
    """The real kustomize builds every overlay, into what the tests here look at."""
    if not _has_kustomize():
        pytest.skip("no kubectl of 1.27 or newer is installed (Debian 12 has 1.20); the rest here needs none")
    done = subprocess.run(["kubectl", "kustomize", KUBERNETES / overlay], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "it warns of what is deprecated"
    # Names of ConfigMaps end in a hash of their content there.
    text = re.sub(r"^( +name: (?:serving|sightline))-[a-z0-9]{10}$", r"\1", done.stdout, flags=re.MULTILINE)
    assert text != done.stdout
    theirs = {kustomization.identity(found): found for found in yaml.safe_load_all(text)}
    ours = {kustomization.identity(found): found for found in kustomization.build(KUBERNETES / overlay)}
    assert ours == theirs


def _has_kustomize() -> bool:
    if shutil.which("kubectl") is None:
        return False
    done = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=False)
    return bool(re.match(r"v[5-9]", json.loads(done.stdout or "{}").get("kustomizeVersion", "")))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_meet_their_pods(overlay: str) -> None:
    """Every selector, of Deployments, Services, the budget and the spread, meets its own pods and no others."""
    labels = {name: template["metadata"]["labels"] for name, template in pods(overlay)}
    for found in kustomization.build(KUBERNETES / overlay):
        selector = found.get("spec", {}).get("selector")
        if selector is None:
            continue
        selector = selector.get("matchLabels", selector)
        met = {name for name, label in labels.items() if selector.items() <= label.items()}
        assert met == {found["metadata"]["name"]}
    [spread] = pod(overlay, "serving")["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels["serving"].items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_model_server_is_that_of_compose(overlay: str) -> None:
    """The model server has the image, program and flags of docker-compose.yml, its files included."""
    compose, server = COMPOSE[overlay], container(overlay, "serving")
    assert server["image"] == re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", service(compose)["image"])
    assert server["command"] == service(compose)["entrypoint"]
    given = arguments(overlay)
    batching = "batching_parameters_file"
    assert Path(given[batching]).name == Path(mounts(compose)[flags(compose)[batching]]).name
    assert given | {batching: ""} == flags(compose) | {batching: ""}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_config_map_is_the_files_of_serving(overlay: str) -> None:
    """The model server reads serving/*.config, and every file its flags name is there."""
    data = one(overlay, "ConfigMap", "serving")["data"]
    assert data == {path.name: path.read_text() for path in (REPOSITORY / "serving").glob("*.config")}
    [folder] = [
        mount["mountPath"] for mount in container(overlay, "serving")["volumeMounts"] if mount["name"] == "config"
    ]
    for flag, value in arguments(overlay).items():
        if flag.endswith("_file"):
            assert Path(value).parent == Path(folder)
            assert Path(value).name in data


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_agree(overlay: str) -> None:
    """Flags, container, Service, probes and scrape annotations name the same ports."""
    template = one(overlay, "Deployment", "serving")["spec"]["template"]
    server = container(overlay, "serving")
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert ports == {"grpc": int(arguments(overlay)["port"]), "metrics": int(arguments(overlay)["rest_api_port"])}
    assert {port["name"]: port["port"] for port in one(overlay, "Service", "serving")["spec"]["ports"]} == ports
    assert {server[probe]["grpc"]["port"] for probe in PROBES} == {ports["grpc"]}
    annotations = template["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) == ports["metrics"]
    [published] = re.findall(r'path: "(\S+)"', one(overlay, "ConfigMap", "serving")["data"]["monitoring.config"])
    assert annotations["prometheus.io/path"] == published


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_service_calls_the_model_server(overlay: str) -> None:
    """The model server's pods are reached by the service alone, by label or the machines' network; they reach nobody.

    Everybody else may at most read metrics, and only from a namespace that is named.
    """
    policy = one(overlay, "NetworkPolicy", "serving")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert policy["egress"] == []
    met = [
        name
        for name, template in pods(overlay)
        if policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    ]
    assert met == ["serving"]
    [callers, readers] = policy["ingress"]
    assert [port["port"] for port in callers["ports"]] == ["grpc"]
    assert [port["port"] for port in readers["ports"]] == ["metrics"]
    [machines, service_pods] = callers["from"]
    assert ip_network(machines["ipBlock"]["cidr"]).prefixlen >= 16
    labels = service_pods["podSelector"]["matchLabels"]
    assert [name for name, template in pods(overlay) if labels.items() <= template["metadata"]["labels"].items()] == [
        "sightline"
    ]
    assert "namespaceSelector" not in service_pods
    assert [list(peer) for peer in readers["from"]] == [["namespaceSelector"]]


PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_ask_who_can_answer(overlay: str) -> None:
    """Both Deployments have every probe; the model server's health service is on, and the page is asked /healthz."""
    assert all(probe in container(overlay, "serving") for probe in PROBES)
    assert arguments(overlay)["enable_grpc_healthcheck_service"] == "true"
    assert {container(overlay, "sightline")[probe]["httpGet"]["path"] for probe in PROBES} == {"/healthz"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_service_asks_every_model_server(overlay: str, tmp_path: Path) -> None:
    """The service is given the headless Service's name and port, and calls enough to keep each server busy."""
    server = one(overlay, "Service", "serving")
    assert server["spec"]["clusterIP"] == "None"
    found = settings(overlay, tmp_path)
    assert found.serving.address == f"dns:///serving:{arguments(overlay)['port']}"
    assert found.serving.in_flight >= 2 * one(overlay, "Deployment", "serving")["spec"].get("replicas", 1)
    [mount] = [mount for mount in container(overlay, "sightline")["volumeMounts"] if mount["name"] == "config"]
    assert mount["mountPath"] == "/etc/sightline", "the image's command reads sightline.yaml there"
    [port] = one(overlay, "Service", "sightline")["spec"]["ports"]
    assert found.server.port == port["port"] == container(overlay, "sightline")["ports"][0]["containerPort"]
    assert found.server.host == "0.0.0.0"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_users_are_kept(overlay: str, tmp_path: Path) -> None:
    """The service starts without users and asks everybody; what it keeps of them is in a volume it may write to."""
    access = settings(overlay, tmp_path).access
    assert access is not None
    assert access.anonymous == ["metrics"]
    [mount] = [each for each in container(overlay, "sightline")["volumeMounts"] if each["name"] == "accounts"]
    assert mount == {"name": "accounts", "mountPath": str(Path(access.store or "").parent)}
    context = pod(overlay, "sightline")["securityContext"]
    assert context["fsGroup"] == context["runAsGroup"]


def test_service_is_on_its_machines_network() -> None:
    """WebRTC candidates can be reached, the cluster's names are still known, and no second one wants the same ports."""
    found = one("base", "Deployment", "sightline")["spec"]
    assert found["template"]["spec"]["hostNetwork"] is True
    assert found["template"]["spec"]["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert (found["replicas"], found["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_server_that_is_to_go_is_left_first(overlay: str) -> None:
    """A model server stays until every connection has reached its age, which gRPC stretches by up to a tenth."""
    waits = int(container(overlay, "serving")["lifecycle"]["preStop"]["exec"]["command"][1])
    assert 1.1 * age_s(overlay) < waits < pod(overlay, "serving")["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_have_few_rights(overlay: str) -> None:
    """No pod runs as root, writes its image, gains rights or knows the cluster; each says what it needs at least."""
    for name, template in pods(overlay):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        [only] = spec["containers"]
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert only["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in only["resources"]["limits"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_volumes_are_there(overlay: str) -> None:
    """Whatever is mounted is a volume of the pod, and every volume is of a claim or a ConfigMap that is made."""
    made = {(found["kind"], found["metadata"]["name"]) for found in kustomization.build(KUBERNETES / overlay)}
    for _, template in pods(overlay):
        spec = template["spec"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        [only] = spec["containers"]
        assert {mount["name"] for mount in only["volumeMounts"]} == volumes.keys()
        for volume in volumes.values():
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in made
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in made


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images_are_pinned(overlay: str) -> None:
    """No image floats, and those built here carry the project's version."""
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    images = {image["image"] for _, template in pods(overlay) for image in template["spec"]["containers"]}
    ours = {f"sightline:{version}", f"sightline-export:{version}"}
    assert ours < images
    assert all(re.fullmatch(r"(tensorflow/serving:\d+\.|postgres:)\d+\.\d+(-gpu)?", each) for each in images - ours)


def test_gpu_server_has_a_gpu() -> None:
    """The GPU overlay asks for one GPU a server and waits for no free one to replace it; the base asks for none."""
    assert container("gpu", "serving")["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert one("gpu", "Deployment", "serving")["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0
    assert "nvidia.com/gpu" not in container("base", "serving")["resources"]["limits"]


def test_autoscaler_decides_how_many() -> None:
    """The autoscaler's target is the model servers, whose number nothing else says, and its metric the adapter's."""
    found = one("autoscale", "HorizontalPodAutoscaler", "serving")["spec"]
    deployment = one("autoscale", "Deployment", "serving")
    assert (found["scaleTargetRef"]["kind"], found["scaleTargetRef"]["name"]) == ("Deployment", "serving")
    assert "replicas" not in deployment["spec"]
    [metric] = found["metrics"]
    assert metric["pods"]["metric"]["name"] == adapter_rule()["name"]["as"]


def test_overload_reaches_the_servers_queues(tmp_path: Path) -> None:
    """With the fewest servers more calls are under way than batches run, and are pushed, which pulled ones are not
    beyond what is worked on: else no queue grows and none is added."""
    found = one("autoscale", "HorizontalPodAutoscaler", "serving")["spec"]
    batching = BatchingParameters.read(
        REPOSITORY / "serving" / Path(arguments("autoscale")["batching_parameters_file"]).name
    )
    serving = settings("autoscale", tmp_path).serving
    assert serving.scheduling == "push"
    in_flight = serving.in_flight
    assert found["minReplicas"] * batching.num_batch_threads < in_flight
    assert in_flight <= found["maxReplicas"] * batching.num_batch_threads


def test_autoscaled_service_is_configured_alike(tmp_path: Path) -> None:
    """The autoscaled service differs from the base's in its calls under way, and how they leave, alone."""
    ours, base = settings("autoscale", tmp_path), settings("base", tmp_path)
    as_base = {"in_flight": base.serving.in_flight, "scheduling": base.serving.scheduling}
    assert ours.serving.model_copy(update=as_base) == base.serving
    assert (ours.server, ours.streams) == (base.server, base.streams)


def adapter_rule() -> Any:
    """Give the rule of prometheus-adapter."""
    [rule] = yaml.safe_load((KUBERNETES / "autoscale" / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    return rule


def test_adapters_query_is_the_mean_wait(tmp_path: Path) -> None:
    """Prometheus makes of the adapter's query each pod's mean wait in seconds, and 0 for a pod without frames."""
    requires("promtool")
    query = adapter_rule()["metricsQuery"]
    query = query.replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", 'namespace="vision",pod=~"a|b"')
    name = ":tensorflow:serving:batching_session:queuing_latency"
    # Pod a: 600 frames a minute that waited 30 ms each; pod b: none.
    series = [
        {"series": f'{name}_sum{{namespace="vision",pod="a"}}', "values": "0+18000000x5"},
        {"series": f'{name}_count{{namespace="vision",pod="a"}}', "values": "0+600x5"},
        {"series": f'{name}_sum{{namespace="vision",pod="b"}}', "values": "7x5"},
        {"series": f'{name}_count{{namespace="vision",pod="b"}}', "values": "7x5"},
    ]
    wanted = [{"labels": '{pod="a"}', "value": 0.03}, {"labels": '{pod="b"}', "value": 0}]
    rounded = f"round({query}, 0.0001)"
    case = {
        "interval": "30s",
        "input_series": series,
        "promql_expr_test": [{"expr": rounded, "eval_time": "2m", "exp_samples": wanted}],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"evaluation_interval": "30s", "tests": [case]}))
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_metric_is_one_tensorflow_serving_has() -> None:
    """The adapter finds its pods by the counter its query divides by."""
    rule = adapter_rule()
    [name] = re.findall(r'__name__="([^"]+)"', rule["seriesQuery"])
    assert name in rule["metricsQuery"]


def values() -> Any:
    """Give the values for the chart of NATS."""
    return yaml.safe_load((KUBERNETES / "cluster" / "nats-values.yaml").read_text())


def test_replicas_go_one_at_a_time() -> None:
    """Of three replicas, each on a machine of its own, one at most is away on purpose, after it has had time to go."""
    found = one("cluster", "Deployment", "sightline")["spec"]
    assert (found["replicas"], found["strategy"]["type"]) == (3, "RollingUpdate")
    assert found["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert one("cluster", "PodDisruptionBudget", "sightline")["spec"]["maxUnavailable"] == 1
    spec = found["template"]["spec"]
    [apart] = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart["topologyKey"] == "kubernetes.io/hostname"
    assert apart["labelSelector"]["matchLabels"].items() <= found["template"]["metadata"]["labels"].items()
    waits = int(container("cluster", "sightline")["lifecycle"]["preStop"]["exec"]["command"][1])
    assert waits + 30 <= spec["terminationGracePeriodSeconds"]


def test_each_replica_is_its_machine(tmp_path: Path) -> None:
    """A replica has its machine's name, is reached at its address, and signs with the Secret's key."""
    found = settings("cluster", tmp_path)
    assert found.cluster is not None
    assert found.cluster.member == POD["spec.nodeName"]
    assert found.cluster.url == f"http://{POD['status.hostIP']}:{found.server.port}"
    assert found.cluster.key == SECRET["CLUSTER_KEY"]
    assert pod("cluster", "sightline")["hostNetwork"] is True, "where that is the pod's address too"


def test_replicas_share_users_and_the_archive_and_no_files(tmp_path: Path) -> None:
    """One volume of users for all, one database that is theirs, and a folder on each machine for what it recorded."""
    assert one("cluster", "PersistentVolumeClaim", "sightline")["spec"]["accessModes"] == ["ReadWriteMany"]
    archive = settings("cluster", tmp_path).archive
    assert archive is not None
    database = one("cluster", "StatefulSet", "postgresql")["spec"]["template"]["spec"]["containers"][0]
    given = {each["name"]: each.get("value", each.get("valueFrom")) for each in database["env"]}
    user, name = given["POSTGRES_USER"], given["POSTGRES_DB"]
    assert archive.database == f"postgresql://{user}:{SECRET['POSTGRES_PASSWORD']}@postgresql/{name}"
    assert given["POSTGRES_PASSWORD"] == {"secretKeyRef": {"name": "cluster", "key": "POSTGRES_PASSWORD"}}
    assert given["POSTGRES_INITDB_ARGS"] == "--auth-host=scram-sha-256", "else it would trust its own machine"
    mounted = {each["name"]: each["mountPath"] for each in container("cluster", "sightline")["volumeMounts"]}
    assert mounted["archive"] == archive.path
    [folder] = [each for each in pod("cluster", "sightline")["volumes"] if each["name"] == "archive"]
    assert folder["hostPath"]["type"] == "Directory", "one that nobody made has no owner who could write to it"


def test_nats_is_as_the_replicas_ask_for_it(tmp_path: Path) -> None:
    """The chart makes as many servers as hold the bucket, with the password that the replicas show."""
    cluster = settings("cluster", tmp_path).cluster
    assert cluster is not None
    assert values()["config"]["cluster"] == {"enabled": True, "replicas": cluster.copies}
    assert values()["config"]["jetstream"]["enabled"] is True
    user = values()["config"]["merge"]["authorization"]
    assert user == {"user": "sightline", "password": "<< $NATS_PASSWORD >>"}
    asked = values()["container"]["env"]["NATS_PASSWORD"]["valueFrom"]["secretKeyRef"]
    assert asked == {"name": "cluster", "key": "NATS_PASSWORD"}
    assert cluster.nats == [f"nats://sightline:{SECRET['NATS_PASSWORD']}@nats:4222"]


@pytest.mark.parametrize(("name", "port"), [("nats", "nats"), ("postgresql", "postgresql")])
def test_only_replicas_reach_what_they_share(name: str, port: str) -> None:
    """NATS and PostgreSQL are reached by the replicas alone, by label or by the machines' network."""
    policy = one("cluster", "NetworkPolicy", name)["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    [callers, *themselves] = policy["ingress"]
    assert callers["from"] == one("cluster", "NetworkPolicy", "serving")["spec"]["ingress"][0]["from"]
    assert [each["port"] for each in callers["ports"]] == [port]
    for peers in themselves:
        assert peers["from"] == [{"podSelector": policy["podSelector"]}]


def test_replicas_reach_each_other() -> None:
    """Where a policy holds for replicas, they reach each other's port, and viewers its media."""
    [allowed] = one("cluster", "NetworkPolicy", "sightline")["spec"]["ingress"]
    assert "from" not in allowed
    assert [(each["protocol"], each["port"]) for each in allowed["ports"]] == [("TCP", "http"), ("UDP", 1024)]


def test_documentation_says_what_has_to_be_there_first() -> None:
    """docs/scaling.md makes the Secret with every key of it, the folder that is mounted, and NATS by its values."""
    text = (REPOSITORY / "docs" / "scaling.md").read_text()
    made = re.search(r"create secret generic cluster((?:.|\n)*?)\n\n", text)
    assert made
    assert set(re.findall(r"--from-literal=(\w+)=", made[1])) == SECRET.keys()
    [folder] = [each for each in pod("cluster", "sightline")["volumes"] if each["name"] == "archive"]
    assert f"install -d -o 10001 -g 10001 -m 0700 {folder['hostPath']['path']}" in text
    assert "--values deploy/kubernetes/cluster/nats-values.yaml" in text


def test_documentation_says_it_was_not_run() -> None:
    """docs/scaling.md names every overlay, and says that no cluster has run them."""
    text = (REPOSITORY / "docs" / "scaling.md").read_text()
    assert all(f"deploy/kubernetes/{overlay}" in text for overlay in OVERLAYS)
    assert "not run on a cluster" in text
