"""An outlet that one replica alone can test is tested by that one, whichever is asked."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.http.replicas import Map, RunningReplica, run_replica
from tests.peers.process import free_port

TEST = "/api/outlets/mqtt/test"


async def test_a_broker_is_tested_by_the_replica_that_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the one connection; where it is away, whoever is asked tries it, and says what is wrong."""
    tried: list[str] = []
    port = free_port()
    said = Map({"a": "here", "b": "there"})

    def sections(name: str) -> dict[str, Any]:
        return {"mqtt": {"url": f"mqtt://127.0.0.1:{port}"}, "archive": {"path": str(tmp_path / name)}}

    def watched(replica: RunningReplica) -> None:
        async def test(outlet: str) -> None:
            tried.append(replica.name)

        archive = replica.service.keeping.archive
        assert archive is not None
        assert archive.leases is not None
        monkeypatch.setattr(replica.service.outgoing, "test", test)
        monkeypatch.setattr(archive.leases, "who", lambda outlet: "there")
        monkeypatch.setattr(archive.leases, "has", lambda outlet: replica.name == "there")

    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(run_replica("here", "a", said, **sections("here")))
        there = await stack.enter_async_context(run_replica("there", "b", said, **sections("there")))
        watched(here)
        watched(there)
        for replica in (here, there):
            status, _, body = await replica.ask("POST", TEST)
            assert (status, body) == (200, b'{"outcome":"sent","detail":null}')
        assert tried == ["there", "there"]
        del said.urls["there"]
        assert (await here.ask("POST", TEST))[0] == 200
        assert tried == ["there", "there", "here"]
