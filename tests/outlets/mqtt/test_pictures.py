"""Pictures for the broker to hold: when each is told, and that a missing one holds up nothing."""

import pytest

from streamer.outlets.mqtt.client import BrokerAway
from streamer.outlets.mqtt.pictures import PATIENCE, Pictures
from streamer.outlets.mqtt.topics import Topics
from tests.outlets.memory_outbox import PICTURE, MemoryOutbox
from tests.outlets.mqtt.told import Streams
from tests.peers.clock import FakeClock


class Scene:
    """Pictures every ten seconds, and what was told of them."""

    def __init__(self) -> None:
        self.clock, self.streams = FakeClock(), Streams()
        self.outbox = MemoryOutbox(self.clock)
        self.pictures = Pictures(Topics("s"), self.streams, self.outbox, 10.0, self.clock)
        self.told: list[tuple[str, bytes]] = []

    async def tell(self, topic: str, image: bytes) -> None:
        self.told.append((topic.removeprefix("s/streams/"), image))

    async def look(self, *names: str) -> list[tuple[str, bytes]]:
        """One look; what was told by it."""
        self.told.clear()
        await self.pictures.look(names, self.tell)
        return list(self.told)


async def test_a_stream_is_pictured_as_often_as_was_said() -> None:
    """And no more often because the broker was away in between."""
    scene = Scene()
    scene.streams.images = {"a": b"1"}
    assert await scene.look("a", "b") == [("a/picture", b"1")]
    scene.clock.advance(9.9)
    scene.pictures.tell_all_again()
    assert await scene.look("a", "b") == []
    scene.clock.advance(0.1)
    assert await scene.look("a", "b") == [("a/picture", b"1")]


async def test_of_a_thousand_events_that_waited_one_picture_is_told() -> None:
    """The newest; and again to a broker that has lost it, though none is kept here."""
    scene = Scene()
    for index in range(1000):
        scene.pictures.of_event("a", f"e{index}")
        scene.outbox.pictures[f"e{index}"] = PICTURE
    assert await scene.look("a") == [("a/event_picture", PICTURE.image)]
    assert await scene.look("a") == []
    scene.pictures.tell_all_again()
    assert await scene.look("a") == [("a/event_picture", PICTURE.image)]


async def test_a_picture_that_is_not_drawn_yet_is_looked_for_until_there_is_none() -> None:
    """While the archive is away it is not asked in vain."""
    scene = Scene()
    scene.pictures.of_event("a", "late")
    assert await scene.look("a") == []
    scene.outbox.is_away = True
    assert await scene.look("a") == []
    scene.outbox.is_away = False
    scene.outbox.pictures["late"] = PICTURE
    assert await scene.look("a") == [("a/event_picture", PICTURE.image)]
    scene.pictures.of_event("a", "never")
    assert await scene.look("a") == []
    scene.clock.advance(PATIENCE + 0.1)
    assert await scene.look("a") == []
    scene.outbox.pictures["never"] = PICTURE
    assert await scene.look("a") == []


async def test_a_stream_that_is_gone_is_forgotten() -> None:
    """Its events' pictures with it: it is named nowhere any more."""
    scene = Scene()
    scene.pictures.of_event("a", "e1")
    assert await scene.look("a") == []
    scene.outbox.pictures["e1"] = PICTURE
    assert await scene.look() == []
    scene.pictures.tell_all_again()
    assert await scene.look("a") == []


async def test_a_picture_that_cannot_be_drawn_keeps_no_other_back(caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and the next stream has its turn; a connection that is lost is another matter."""
    scene = Scene()

    async def drawn(stream: str) -> bytes:
        if stream == "a":
            raise RuntimeError("no colours")
        return b"2"

    scene.streams.picture = drawn  # type: ignore[method-assign]
    assert await scene.look("a", "b") == [("b/picture", b"2")]
    assert "pictures cannot be told over MQTT" in caplog.text

    async def lost(topic: str, image: bytes) -> None:
        raise BrokerAway("the connection was lost")

    scene.clock.advance(10.0)
    with pytest.raises(BrokerAway):
        await scene.pictures.look(["b"], lost)
