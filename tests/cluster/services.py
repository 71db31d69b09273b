"""Whole services that are replicas of one cluster, by a real NATS."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from serving.signature import Contract
from tests.peers.fake_model_server import FakeModelServer
from tests.peers.nats_server import NatsServer
from tests.peers.process import free_port
from tests.peers.service import Service, run_service, until

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect", 3: "bird"})
KEY = "a key that is the same at all replicas"


def replica(
    name: str, nats: NatsServer, model: FakeModelServer, streams: Mapping[str, Any] | None = None, **said: Any
) -> dict[str, Any]:
    """The configuration of one, on loopback."""
    port = free_port()
    return {
        "server": {"port": port},
        "serving": {"address": model.address, "model": CONTRACT.name},
        "api_streams": {"allowed": True, "networks": ["127.0.0.1/32"]},
        "cluster": {"nats": nats.url, "replica": name, "url": f"http://127.0.0.1:{port}", "key": KEY, **said},
        **({} if streams is None else {"streams": dict(streams)}),
    }


@contextmanager
def running(config: Mapping[str, Any], env: Mapping[str, str] | None = None) -> Iterator[Service]:
    """One that runs."""
    with run_service(config, env) as service:
        yield service


def runs(service: Service) -> set[str]:
    """The streams that it was told to run, and not yet to stop."""
    found = set[str]()
    for line in service.process.output.splitlines():
        words = line.split()
        if "runs" not in words:
            continue
        name = words[words.index("runs") + 1]
        if line.endswith(" no more"):
            found.discard(name)
        elif " from now on, by claim " in line:
            found.add(name)
    return found


async def run_once(services: Sequence[Service], streams: Collection[str]) -> None:
    """Wait until each stream is run by one of them, no other is, and each of them has some."""

    async def reached() -> bool:
        found = [runs(service) for service in services]
        return all(found) and sorted(name for each in found for name in each) == sorted(streams)

    await until(reached, lambda: "\n".join(f"{runs(each)}\n{each.process.output}" for each in services))


async def all_run(services: Sequence[Service], streams: Collection[str]) -> None:
    """Wait until each stream is run by one of them, and no other is."""

    async def reached() -> bool:
        return sorted(name for service in services for name in runs(service)) == sorted(streams)

    await until(reached, lambda: "\n".join(f"{runs(each)}\n{each.process.output}" for each in services))


async def is_member(service: Service) -> None:
    """Wait until one takes part."""

    async def reached() -> bool:
        return bool((await service.ask("/api/cluster")).json()["standing"] == "member")

    await until(reached, lambda: service.process.output)


def runner(services: Sequence[Service], stream: str) -> tuple[Service, Service]:
    """Of two, who runs a stream, and the other."""
    [here] = [service for service in services if stream in runs(service)]
    [other] = [service for service in services if service is not here]
    return here, other
