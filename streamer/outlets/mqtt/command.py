"""What we are told to do: a word or two, on the topic of whom it is about. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from streamer.outlets.mqtt.topics import Topics
from streamer.values.errors import SightlineError
from streamer.values.name import is_name

LONGEST = 100
"""Bytes of a command."""
LONGEST_SNOOZE = 30 * 86_400
"""Seconds."""
WORDS = "pause, resume, wake, or snooze and seconds, such as snooze 3600"

Word = Literal["pause", "resume", "snooze", "wake"]


class BadCommand(SightlineError):
    """It is none; says what is allowed."""


@dataclass(frozen=True, slots=True)
class Command:
    """One."""

    word: Word
    stream: str | None = None
    rule: str | None = None
    """Neither: about everything."""
    seconds: float = 0.0
    """Of a snooze."""

    @property
    def target(self) -> str:
        """Whom it is about, for people."""
        return self.stream or self.rule or "everything"


def read(topics: Topics, topic: str, payload: bytes, *, is_retained: bool) -> Command:
    """Understand one.

    Args:
        topics: ours.
        topic: where it was said.
        payload: what was said. Anybody may have.
        is_retained: whether the broker had kept it: it was said some time ago, and would be at each connection.

    Raises:
        BadCommand: it is none.
    """
    if is_retained:
        raise BadCommand("it is retained, and would be obeyed again at each connection; publish it without that")
    stream, rule = topics.target(topic)
    name = rule if stream is None else stream
    if topic != topics.command and (name is None or not is_name(name)):
        raise BadCommand("nothing has that name")
    said = payload[: LONGEST + 1].decode("ascii", errors="replace").strip().lower()
    match said.split():
        case ["pause" | "resume" as word] if stream is not None:
            return Command(word, stream)
        case ["pause" | "resume"]:
            raise BadCommand("only streams are paused")
        case ["wake"]:
            return Command("wake", stream, rule)
        case ["snooze", text] if re.fullmatch(r"[0-9]{1,8}", text) and 1 <= int(text) <= LONGEST_SNOOZE:
            return Command("snooze", stream, rule, float(text))
        case ["snooze", *_]:
            raise BadCommand(f"a snooze is 1 to {LONGEST_SNOOZE} whole seconds, such as snooze 3600")
    raise BadCommand(f"it is no command; allowed are {WORDS}")
