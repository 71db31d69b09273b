"""What the tests of the clean video have in common: pictures, a viewer's connection, and what came over it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamer.values.coded import CodedForm, CodedPicture
from streamer.view.clean.wire import HEAD

FORM = CodedForm("h264", 64, 48, 30.0, 0, "avc1.42c00d")


def coded(
    number: int, *, key: bool = False, opening: int = 1, form: CodedForm = FORM, data: bytes = b"unit"
) -> CodedPicture:
    """The picture of that number, at 30 a second; `key`: decoding can begin with it."""
    return CodedPicture(data + b" %d" % number, number * 33_333, 1000.0 + number / 30, key, form, opening)


@dataclass(frozen=True)
class Shown:
    """A picture as a viewer has it."""

    is_key: bool
    opening: int
    time: int
    received: float
    data: bytes


def messages(data: bytes) -> Iterator[bytes | str]:
    """What WebSocket's frames carry (RFC 6455 section 5.2): whole messages, not masked."""
    at = 0
    while at < len(data):
        kind, size, begin = data[at], data[at + 1], at + 2
        if size == 126:
            size, begin = int.from_bytes(data[at + 2 : at + 4]), at + 4
        elif size == 127:
            size, begin = int.from_bytes(data[at + 2 : at + 10]), at + 10
        at = begin + size
        payload = data[begin:at]
        assert len(payload) == size
        assert kind in (0x81, 0x82)
        yield payload.decode() if kind == 0x81 else payload


def read(data: bytes) -> list[Shown | dict[str, Any]]:
    """What a viewer makes of it."""
    found: list[Shown | dict[str, Any]] = []
    for message in messages(data):
        if isinstance(message, str):
            found.append(json.loads(message))
        else:
            kind, flags, nothing, opening, time, received = HEAD.unpack_from(message)
            assert (kind, nothing) == (1, 0)
            found.append(Shown(bool(flags & 1), opening, int(time), received, message[HEAD.size :]))
    return found


class FakePipe:
    """A connection that takes what it is given, until a test says that it is full."""

    def __init__(self) -> None:
        self.is_full = False
        self.taken: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take it."""
        assert not self.is_full
        self.taken.append(data)

    def news(self) -> list[Shown | dict[str, Any]]:
        """What came since this was asked for last."""
        taken, self.taken = self.taken, []
        return read(b"".join(taken))


def kinds(news: list[Shown | dict[str, Any]]) -> list[str]:
    """The words for it."""
    return [("key" if each.is_key else "picture") if isinstance(each, Shown) else each["type"] for each in news]
