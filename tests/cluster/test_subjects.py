"""What replicas tell of their streams by NATS: to each other, and to whoever listens there."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import nats
import pytest

from streamer.cluster.servers import Servers
from streamer.cluster.subjects import WAITING, Subjects
from tests.peers.nats_server import NatsServer, make_nats_server, run_nats_server
from tests.peers.until import until


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One that runs."""
    with run_nats_server() as running:
        yield running


def subjects_of(server: NatsServer, me: str) -> Subjects:
    return Subjects(Servers((server.url,)), "yard", me, epoch_of={"line.1": 7, "line-2": 9}.get)


@asynccontextmanager
async def running(*all_: Subjects) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(subjects.run()) for subjects in all_]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Heard:
    """What one replica hears, while it wants to."""

    def __init__(self, subjects: Subjects) -> None:
        self.wants = True
        self.told: list[tuple[str, str, Mapping[str, Any]]] = []
        subjects.hear("detections", lambda: self.wants, lambda *told: self.told.append(told))


async def _told_until(subjects: Subjects, condition: Any) -> None:
    """Tell again and again: nobody says when a subscription has begun."""
    number = 0
    while not condition():
        number += 1
        document = {"stream": "line.1", "pts": number}
        subjects.tell("detections", "line.1", lambda document=document: document)  # type: ignore[misc]
        await asyncio.sleep(0.02)


async def test_another_replica_hears_it_while_somebody_there_listens(server: NatsServer) -> None:
    """As the API has it, with the stream and who told it; nobody hears himself, and who wants nothing more no more."""
    near, far = subjects_of(server, "near"), subjects_of(server, "far")
    heard, own = Heard(far), Heard(near)
    async with running(near, far):
        await _told_until(near, lambda: heard.told)
        stream, replica, document = heard.told[0]
        assert (stream, replica, set(document)) == ("line.1", "near", {"stream", "pts"})
        assert own.told == []
        heard.wants = False
        await _quiet(near, heard)


async def _quiet(subjects: Subjects, heard: Heard) -> None:
    """Until what is told is not heard any more."""
    while True:
        before, sent = len(heard.told), subjects.sent
        await _told_until(subjects, lambda: subjects.sent >= sent + 20)  # noqa: B023
        if len(heard.told) == before:
            return


async def test_whoever_else_listens_is_told_which_replica_says_it_and_by_which_claim(server: NatsServer) -> None:
    """A dot of a stream's name is an equals sign in a subject; kinds are subjects of their own."""
    near, messages = subjects_of(server, "near"), list[tuple[str, Any]]()
    client = await nats.connect(server.url)

    async def take(message: Any) -> None:
        messages.append((message.subject, json.loads(message.data)))

    try:
        await client.subscribe("yard.>", cb=take)
        await client.flush()
        async with running(near):
            await _told_until(near, lambda: messages)
            messages.clear()
            near.tell("events", "line-2", lambda: {"stream": "line-2", "news": "new"})
            near.tell("events", "gone", lambda: {"stream": "gone", "news": "ended"})
            await until(lambda: len([subject for subject, _ in messages if subject.startswith("yard.events")]) == 2)
    finally:
        await client.close()
    found = dict(messages)
    assert found.get("yard.detections.line=1", {"epoch": 7})["epoch"] == 7
    assert found["yard.events.line-2"] == {"stream": "line-2", "news": "new", "replica": "near", "epoch": 9}
    assert found["yard.events.gone"]["epoch"] is None


async def test_what_is_no_replicas_is_counted_and_told_to_nobody(server: NatsServer) -> None:
    """Whoever may publish there may say anything."""
    far = subjects_of(server, "far")
    heard = Heard(far)
    client = await nats.connect(server.url)
    try:
        async with running(far):
            near = subjects_of(server, "near")
            async with running(near):
                await _told_until(near, lambda: heard.told)
            for number, payload in enumerate(
                (
                    b"",
                    b"{",
                    b"[]",
                    b"{}",
                    b'{"stream": "b", "replica": "x", "epoch": 1}',
                    b'{"stream": 1, "replica": "x"}',
                )
            ):
                await client.publish("yard.detections.a", payload)
                await until(lambda: far.unreadable == number + 1)  # noqa: B023
            await client.publish("yard.detections.a", b'{"stream": "a", "replica": "x", "epoch": null}')
            await until(lambda: heard.told[-1][1] == "x")  # what near had told may have come meanwhile
    finally:
        await client.close()


async def test_while_nats_is_away_the_oldest_is_dropped_and_nothing_waits() -> None:
    """And counted; what is told once it is there is heard."""
    with make_nats_server() as server:
        near, far = subjects_of(server, "near"), subjects_of(server, "far")
        heard = Heard(far)
        async with running(near, far):
            for _ in range(WAITING + 10):
                near.tell("detections", "line.1", lambda: {"stream": "line.1", "pts": -1})
            assert (near.sent, near.dropped) == (0, 10)
            with server.running():
                await _told_until(near, lambda: heard.told)
            dropped = near.dropped
            assert dropped >= WAITING
        assert all(document["pts"] > 0 for _, _, document in heard.told)
