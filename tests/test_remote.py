"""Streams and rules, as they are seen and ordered about from afar."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from streamer.access.audit import Audit, Deed
from streamer.archive.alerts.alerts import Alerts
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.remote import Remote
from streamer.values.alert import AlertRule, Silence, Telling
from streamer.values.errors import Refused


@dataclass
class Ended:
    """All streams of a service that stops: there are none any more."""

    closing: bool = False

    def __iter__(self) -> Any:
        return iter(())

    def get(self, name: str) -> None:
        return None


@dataclass
class Changes:
    """One stream that may be changed, road."""

    changed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def has(self, name: str) -> bool:
        return name == "road"

    async def change(self, name: str, patch: dict[str, Any]) -> None:
        self.changed.append((name, patch))


class Rules:
    """One rule that tells mqtt, night, and one that does not; and silences."""

    telling = Telling((AlertRule("night", outlets=("mqtt",)), AlertRule("day", outlets=("phone",))))

    def __init__(self) -> None:
        self.kept: list[Silence] = []

    async def silences(self) -> tuple[Silence, ...]:
        return tuple(self.kept)

    async def silence(
        self, until: float, *, rule: str | None = None, stream: str | None = None, by: str = ""
    ) -> Silence:
        self.kept.append(Silence(f"{len(self.kept)}", until, rule, stream, by))
        return self.kept[-1]

    async def unsilence(self, id_: str) -> bool:
        self.kept = [silence for silence in self.kept if silence.id != id_]
        return True


class Deeds:
    """What was noted."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, str, str]] = []

    def note(self, deed: Deed) -> None:
        self.noted.append((deed.who, deed.what, deed.target, deed.detail))


class Scene:
    """A remote and all around it."""

    def __init__(self) -> None:
        self.streams, self.changes, self.rules, self.deeds = Ended(), Changes(), Rules(), Deeds()
        self.remote = Remote(
            "mqtt",
            cast(Streams, self.streams),
            cast(StreamChanges, self.changes),
            cast(Alerts, self.rules),
            cast(Audit, self.deeds),
            wall=lambda: 1000.0,
        )


def test_streams_that_end_with_the_service_are_not_said_to_be_gone() -> None:
    """Whoever held what is known of them would let go of it at each restart."""
    scene = Scene()
    assert scene.remote.streams() == []
    scene.streams.closing = True
    assert scene.remote.streams() is None


def test_only_rules_that_tell_the_outlet_are_shown() -> None:
    """Others are none of its business."""
    assert Scene().remote.rules() == ["night"]


async def test_commands_are_done_and_noted() -> None:
    """As somebody's of the outlet's name."""
    scene = Scene()
    await scene.remote.pause("road")
    await scene.remote.resume("road")
    await scene.remote.snooze(60.0, "night", None)
    await scene.remote.snooze(30.0, None, None)
    await scene.remote.wake("night", None)
    assert scene.changes.changed == [("road", {"paused": True}), ("road", {"paused": False})]
    assert [(each.until, each.rule, each.stream, each.by) for each in scene.rules.kept] == [
        (1030.0, None, None, "mqtt")
    ]
    assert scene.deeds.noted == [
        ("mqtt", "stream change", "road", "paused"),
        ("mqtt", "stream change", "road", "resumed"),
        ("mqtt", "silence add", "night", "60 s"),
        ("mqtt", "silence add", "everything", "30 s"),
        ("mqtt", "silence end", "night", ""),
    ]


async def test_what_there_is_not_is_refused_and_not_noted() -> None:
    """No stream is paused that a publisher has, and no rule silenced that nobody made."""
    scene = Scene()
    for order in (
        scene.remote.pause("phone"),
        scene.remote.resume("phone"),
        scene.remote.snooze(60.0, "none", None),
        scene.remote.snooze(60.0, None, "none"),
        scene.remote.wake("none", None),
    ):
        with pytest.raises(Refused, match="there is no"):
            await order
    assert scene.deeds.noted == []
    assert scene.rules.kept == []
