"""The messages of the clean video as they lie on the wire, each a frame of WebSocket (RFC 6455 section 5.2). Pure.

A service's frames are not masked: the same bytes go to every viewer, so that they are made once.
"""

import json
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

from typing_extensions import TypedDict

from streamer.values.coded import CodedForm, CodedPicture
from streamer.values.state import StreamState, StreamStateWord
from streamer.values.track import TrackedBox

VERSION: Final = 1
PICTURE: Final = 1
"""The kind of a binary message that is a picture."""
KEY: Final = 1
"""The flag of a picture that decoding can begin with."""
HEAD: Final = struct.Struct("<BBHIdd")
"""Kind, flags, nothing, opening, time in microseconds, monotonic seconds at which it came; the access unit follows."""
PLAYED: Final = "h264"
"""FFmpeg's name of what browsers take as cameras send it."""
TEXT, BINARY = 0x81, 0x82
"""The first byte of a message that is whole, and of that kind."""
NEAR: Final = 1.0
"""Pictures by which an edge may lie outside of its own: nobody sees what is further away."""

Size = Literal["large", "small"]
"""The camera's video that detection runs on, or the smaller one that it has beside it."""


class Hello(TypedDict):
    """The first message."""

    type: Literal["hello"]
    version: int
    """Of all that follows."""
    stream: str
    state: StreamStateWord
    reason: str | None
    """Why it is not live, as a sentence; else null."""
    now: float
    """The service's monotonic clock, in seconds, by which pictures say when they came."""
    viewer: str
    """Who is told this, as reports of what he has seen name him."""


class Form(TypedDict):
    """What the pictures that follow are coded in."""

    type: Literal["form"]
    offered: bool
    """Whether pictures will come."""
    why: str | None
    """Why none will, as a sentence; else null."""
    codec: str
    """As browsers call it (RFC 6381), `avc1.64001f`; of what is not offered FFmpeg's name."""
    width: int
    """Pixels."""
    height: int
    frame_rate: float | None
    """Pictures a second, as far as the camera says; null where it does not."""
    reorder: int
    """Pictures that may come before one that is shown earlier."""
    opening: int
    """Counts the connections of the camera: another one's times have nothing to do with this one's."""
    size: Size
    """Which of the camera's videos it is."""


def framed(payload: bytes, kind: int) -> bytes:
    """A whole message of that kind, TEXT or BINARY."""
    size = len(payload)
    if size < 126:
        return b"%c%c%b" % (kind, size, payload)
    if size < 1 << 16:
        return b"%c\x7e%b%b" % (kind, size.to_bytes(2), payload)
    return b"%c\x7f%b%b" % (kind, size.to_bytes(8), payload)


def text(said: object) -> bytes:
    """A message of JSON."""
    return framed(json.dumps(said, separators=(",", ":")).encode(), TEXT)


def picture_message(picture: CodedPicture) -> bytes:
    """A picture."""
    flags = KEY if picture.is_key else 0
    head = HEAD.pack(PICTURE, flags, 0, picture.opening & 0xFFFFFFFF, picture.time, picture.received_at)
    return framed(head + picture.data, BINARY)


def hello(stream: str, state: StreamState, now: float, viewer: str = "") -> Hello:
    """What a new viewer is told."""
    return {
        "type": "hello",
        "version": VERSION,
        "stream": stream,
        "state": state.word,
        "reason": state.reason,
        "now": now,
        "viewer": viewer,
    }


def form_of(form: CodedForm, opening: int, why: str | None = None, size: Size = "large") -> Form:
    """What is said of pictures of that form; `why`: they are not to be shown as they come."""
    if form.codec != PLAYED:
        why = f"the camera sends {form.codec}, which browsers do not play as it comes"
    elif not form.name:
        why = "the camera does not say which kind of H.264 it sends"
    return {
        "type": "form",
        "offered": why is None,
        "why": why,
        "codec": form.name if why is None else form.codec,
        "width": form.width,
        "height": form.height,
        "frame_rate": form.frame_rate,
        "reorder": form.reorder,
        "opening": opening,
        "size": size,
    }


def group_message(pictures: int) -> bytes:
    """So many pictures follow from memory."""
    return text({"type": "group", "pictures": pictures})


def gap_message(pictures: int) -> bytes:
    """So many were left out."""
    return text({"type": "gap", "pictures": pictures})


def sampled_message(opening: int, time: int) -> bytes:
    """The frame of that time was given to the model."""
    return text({"type": "sampled", "opening": opening, "time": time})


def boxes_message(opening: int, time: int, boxes: Sequence[TrackedBox], size: tuple[int, int], *, exact: bool) -> bytes:
    """Where everything is in the frame of that time.

    Args:
        opening: of its source.
        time: in microseconds of its source's own clock.
        boxes: in pixels of the frame.
        size: width and height of the frame.
        exact: the model looked at that very frame.
    """
    across, down = 1 / size[0], 1 / size[1]
    rows = ",".join([_row(each, across, down) for each in boxes])
    said = "true" if exact else "false"
    # Written by hand: json.dumps takes three times as long for what is made for every picture.
    written = f'{{"type":"boxes","opening":{opening},"time":{time},"exact":{said},"boxes":[{rows}]}}'
    return framed(written.encode(), TEXT)


def _row(box: TrackedBox, across: float, down: float) -> str:
    x_min, y_min, x_max, y_max = box.box
    edges = f"{_near(x_min * across)},{_near(y_min * down)},{_near(x_max * across)},{_near(y_max * down)}"
    return f"[{box.tracker_id},{_quoted(box.label)},{box.class_id},{box.score:.3f},{edges}]"


def _near(edge: float) -> str:
    """A fraction of the picture; a number in any case."""
    return f"{min(1 + NEAR, max(-NEAR, edge)):.5f}"


@lru_cache(maxsize=512)
def _quoted(label: str) -> str:
    return json.dumps(label)
