"""tests.faults: a run that cannot be set up, or breaks off, is said so, and the next one may follow."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import runs
from tests.faults.cluster import Cluster, NotWhole
from tests.faults.runs import run_once
from tests.faults.schedule import Fault


def a_cluster(restore: Callable[[], None], kill: Callable[[], None]) -> Cluster:
    """One that is whole, without a process: of one machine, to which nothing is done but what is given."""

    async def restored(_: float) -> None:
        restore()

    async def end() -> None:
        return

    actor = SimpleNamespace(name="r1", kill=kill)
    for deed in ("start", "leave", "stop", "go_on", "cut", "mend", "kill_store", "start_store"):
        setattr(actor, deed, lambda: None)
    made: Any = SimpleNamespace(actors=[actor], streams=["s"], restore=restored, end=end, seen=list, reused=set[Any]())
    return cast("Cluster", made)


def fail(error: Exception) -> Callable[[], None]:
    def deed() -> None:
        raise error

    return deed


@pytest.fixture(autouse=True)
def _one_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "faults", lambda *_: [Fault(0.0, "kill", 0, 0.0)])


async def test_a_run_that_cannot_be_set_up_counts_as_broken() -> None:
    """With its seed and faults, which were not brought about."""
    killed: list[str] = []
    line = await run_once(a_cluster(fail(NotWhole("r1 does not serve")), lambda: killed.append("r1")), 7)
    assert (line.seed, line.faults, line.is_broken) == (7, ("0.0 s: kill r1 for 0.0 s",), True)
    assert line.complaints == ["it could not be set up: r1 does not serve"]
    assert killed == []


async def test_a_run_that_breaks_off_counts_as_broken() -> None:
    """It is said why."""
    line = await run_once(a_cluster(lambda: None, fail(OSError("no such namespace"))), 7)
    assert line.complaints == ["it broke off: OSError: no such namespace"]
