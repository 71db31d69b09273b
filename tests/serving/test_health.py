"""serving.health: what watchers are told while the server goes."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from grpc_health.v1 import health_pb2

from serving.health import Health

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Watcher:
    """One call of Watch, as much of it as is used: what was sent on it, and whether it was ended."""

    def __init__(self) -> None:
        self.said: list[int] = []
        self.ended = threading.Event()

    def send(self, answer: Any) -> None:
        """Take an answer; None ends the call."""
        if answer is None:
            self.ended.set()
        else:
            self.said.append(answer.status)

    def add_callback(self, _: Any) -> bool:
        """Remember nothing: this call ends by the server alone."""
        return True


@pytest.fixture
def health() -> Iterator[Health]:
    """Give a server's health; its thread ends with the test."""
    health = Health()
    yield health
    health.release()


def watch(health: Health) -> Watcher:
    """Watch the whole server."""
    watcher = Watcher()
    health.Watch(health_pb2.HealthCheckRequest(), cast(Any, watcher), watcher.send)
    return watcher


def test_a_watcher_is_told_of_the_end_and_let_go(health: Health) -> None:
    """Closing tells every watcher that the server goes, and ends its call."""
    watcher = watch(health)
    assert not watcher.ended.is_set()
    health.close()
    assert watcher.said == [SERVING, NOT_SERVING]
    assert watcher.ended.is_set()


def test_who_watches_a_server_that_goes_is_let_go_at_once(health: Health) -> None:
    """A watcher that comes back after it was sent away is told so again; until gRPC has ended, its call is taken."""
    health.close()
    watcher = watch(health)
    assert watcher.said == [NOT_SERVING]
    assert watcher.ended.is_set()
    assert health._threads.submit(int).result() == 0
