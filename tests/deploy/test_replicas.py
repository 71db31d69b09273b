"""Replicas in docker-compose.yml's profile `cluster` and by systemd, as far as they can be judged without either."""

import asyncio
import configparser
import json
import os
import re
import socket
import sys
import textwrap
from asyncio.subprocess import DEVNULL
from pathlib import Path
from unittest import mock

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from streamer import config
from tests.deploy.test_compose import REPLICAS, is_ours, mounted_text, mounts, service
from tests.peers.process import free_port, run_process
from tests.peers.required import REPOSITORY, nats_server_path, requires
from tests.peers.until import wait_until

SECRETS = {"NATS_PASSWORD": "s1", "POSTGRES_PASSWORD": "s2", "CLUSTER_KEY": "s" * 49}
"""What stands in .env.cluster."""


def replica(name: str) -> config.Config:
    """Give a replica's configuration, read as it is there."""
    given = service(name)["environment"] | SECRETS
    with mock.patch.dict(os.environ, given):
        return config.load(REPOSITORY / mounts(name)["/etc/sightline/sightline.yaml"])


def test_replicas_are_told_apart() -> None:
    """Each replica has a name, a port and a folder of its own, says where it is, and all else is the same."""
    found = {name: replica(name) for name in REPLICAS}
    ports = [each.server.port for each in found.values()]
    assert len(set(ports)) == len(ports)
    assert 8000 not in ports, "that is the service's of the other profiles"
    assert [each.cluster.member for each in found.values() if each.cluster] == list(REPLICAS)
    assert [each.cluster.url for each in found.values() if each.cluster] == [
        f"http://127.0.0.1:{port}" for port in ports
    ]
    assert len({mounts(name)["/archive"] for name in REPLICAS}) == len(REPLICAS)
    for name, each in found.items():
        assert each.model_copy(update={"server": None, "cluster": None}) == found["replica-1"].model_copy(
            update={"server": None, "cluster": None}
        )
        assert service(name).keys() == service("replica-1").keys()


def test_replicas_keep_what_they_write() -> None:
    """Users are in a volume that all replicas have, files in one of each, and the image's user owns both."""
    access, archive = replica("replica-1").access, replica("replica-1").archive
    assert access is not None
    assert archive is not None
    users = str(Path(access.store or "").parent)
    assert {mounts(name)[users] for name in REPLICAS} == {"accounts"}
    assert is_ours(users)
    assert is_ours(archive.path)
    assert access.anonymous == ["metrics"]


async def test_the_health_check_asks_the_replicas_port() -> None:
    """The image's health check asks the port that a replica has, and 8000 where none is said."""
    [check] = re.findall(
        r"^HEALTHCHECK .*\
 +CMD (\[.*\])$",
        (REPOSITORY / "Dockerfile").read_text(),
        re.MULTILINE,
    )
    python, *program = json.loads(check)
    assert python == "python"
    assert "'SIGHTLINE_PORT', 8000" in program[1]
    healthy = web.Application()
    healthy.router.add_get("/healthz", _is_well)
    async with TestServer(healthy) as server:
        for port, code in ((server.port, 0), (free_port(), 1)):
            given = {**os.environ, "SIGHTLINE_PORT": str(port)}
            asking = await asyncio.create_subprocess_exec(sys.executable, *program, env=given, stderr=DEVNULL)
            assert await asking.wait() == code


async def _is_well(_: web.Request) -> web.Response:
    return web.Response()


def test_prometheus_scrapes_every_replica() -> None:
    """The cluster's Prometheus asks each replica, and differs from the other in that alone."""
    ours, theirs = (
        yaml.safe_load((REPOSITORY / mounts(name)["/etc/prometheus/prometheus.yml"]).read_text())
        for name in ("prometheus", "prometheus-cluster")
    )
    [scrape] = [job for job in theirs["scrape_configs"] if job["job_name"] == "sightline"]
    ports = [replica(name).server.port for name in REPLICAS]
    assert scrape["static_configs"] == [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    [alone] = [job for job in ours["scrape_configs"] if job["job_name"] == "sightline"]
    alone["static_configs"] = scrape["static_configs"]
    assert ours == theirs
    beside = {name for name in mounts("prometheus-cluster").values() if name.startswith("./monitoring/")}
    assert beside == {f"./monitoring/{name}" for name in ("prometheus.cluster.yml", *theirs["rule_files"])}
    assert {f"./monitoring/{name}" for name in ours["rule_files"]} < set(mounts("prometheus").values())


def test_what_replicas_share_listens_on_loopback() -> None:
    """PostgreSQL and NATS are on the host's network for this machine alone, and ask for the passwords replicas show."""
    assert "listen_addresses=127.0.0.1" in service("postgres")["command"]
    assert service("postgres")["environment"]["POSTGRES_INITDB_ARGS"] == "--auth-host=scram-sha-256"
    text = mounted_text("nats", service("nats")["command"][1])
    assert set(re.findall(r'"([\d.]+):\d+"', text)) == {"127.0.0.1"}
    for name in ("postgres", "nats"):
        assert service(name)["network_mode"] == "host"
        assert service(name)["env_file"] == [{"path": ".env.cluster", "required": False}]
    given, archive = service("postgres")["environment"], replica("replica-1").archive
    assert archive is not None
    user = f"{given['POSTGRES_USER']}:{SECRETS['POSTGRES_PASSWORD']}"
    assert archive.database == f"postgresql://{user}@127.0.0.1/{given['POSTGRES_DB']}"


def test_the_documented_secrets_are_those_that_are_asked_for() -> None:
    """docs/scaling.md makes .env.cluster with every secret that the configuration asks for; git leaves it alone."""
    [names] = re.findall(
        r"for name in ([A-Z_ ]+); do .* > \.env\.cluster", (REPOSITORY / "docs/scaling.md").read_text()
    )
    asked = set(re.findall(r"\$\{(\w+)\}", (REPOSITORY / "docs/sightline.cluster.yaml").read_text()))
    assert set(names.split()) == SECRETS.keys() == asked - service("replica-1")["environment"].keys()
    assert "/.env.*" in (REPOSITORY / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", ["one.conf", "three.conf"])
def test_nats_asks_for_the_password(name: str, tmp_path: Path) -> None:
    """A real NATS server understands its file, lets in who shows the password of the environment, and nobody else."""
    program = nats_server_path()
    requires("nats-server")
    port, monitor, routes = free_port(), free_port(), free_port()
    text = (REPOSITORY / "deploy" / "nats" / name).read_text()
    for there, here in (
        (r'listen: "[\d.]+:4222"', f'listen: "127.0.0.1:{port}"'),
        (r"127.0.0.1:8222", f"127.0.0.1:{monitor}"),
        (r'listen: "[\d.]+:6222"', f'listen: "127.0.0.1:{routes}"'),
        (r'store_dir: "[\w/]+"', f'store_dir: "{tmp_path}"'),
        (r"routes: \[.*\]", f'routes: ["nats://127.0.0.1:{routes}"]'),
    ):
        text, count = re.subn(there, here, text)
        assert count == 1 or name == "one.conf"
    path = tmp_path / "nats.conf"
    path.write_text(text)
    environment = {**os.environ, "NATS_PASSWORD": SECRETS["NATS_PASSWORD"], "NATS_NAME": "n1"}
    with run_process([program or "", "-c", path], env=environment):
        wait_until(lambda: is_open(port))
        assert lets_in(port, SECRETS["NATS_PASSWORD"])
        assert not lets_in(port, "guessed")


def is_open(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lets_in(port: int, password: str) -> bool:
    """Whether a NATS server does (its client protocol: INFO comes, CONNECT and PING are sent, PONG or -ERR is said)."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, connection.makefile("rb") as said:
        said.readline()
        shown = json.dumps({"user": "sightline", "pass": password, "verbose": False, "pedantic": False})
        connection.sendall(f"CONNECT {shown}\r\nPING\r\n".encode())
        return said.readline().strip() == b"PONG"


def test_the_unit_hands_over(tmp_path: Path) -> None:
    """systemd's unit ends by SIGTERM with the time to hand over, starts anew for ever, and is no root's."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(REPOSITORY / "deploy/systemd/sightline.service")
    found = unit["Service"]
    assert "KillSignal" not in found, "SIGTERM is what it is when nothing is said"
    assert int(found["TimeoutStopSec"]) >= 30
    assert (found["Restart"], unit["Unit"]["StartLimitIntervalSec"]) == ("always", "0")
    assert found["User"] == "sightline"
    assert found["ExecStart"] == "/opt/sightline/bin/sightline serve --config /etc/sightline/sightline.yaml"
    text = (REPOSITORY / "docs/scaling.md").read_text()
    assert found["EnvironmentFile"] in text
    [example] = re.findall(r"this `/etc/sightline/sightline.yaml`.*?```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "sightline.yaml"
    path.write_text(textwrap.dedent(example))
    with mock.patch.dict(os.environ, SECRETS):
        settings = config.load(path)
    assert settings.cluster is not None
    assert settings.archive is not None
    assert len(settings.cluster.nats) == settings.cluster.copies == 3
    assert Path(settings.archive.path).is_relative_to(f"/var/lib/{found['StateDirectory']}")
