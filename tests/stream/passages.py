"""Pictures on their way, as a ledger is told of them; times are seconds after their arrival."""

from dataclasses import replace

from streamer.stream.ledger import Ledger
from streamer.values.detections import Detections
from streamer.values.frame import Frame
from streamer.values.receipts import Receipt
from streamer.values.showing import Showing
from tests.peers.frames import make_detections, make_frame

ARRIVED = 1000.0
ON_TIME = {"decode": 4, "queue": 12, "model": 41, "hold": 20, "encode": 9, "send": 2, "network": 14, "paint": 16}
"""Milliseconds of each stage of what `follow` follows."""


def the_frame(index: int = 0, at: float = ARRIVED, decode: float = 0.004) -> Frame:
    """Decoded so long after it arrived."""
    return replace(make_frame(index / 5, at, index=index), decoded_at=at + decode)


def the_answer(frame: Frame, asked: float, answered: float) -> Detections:
    """Its answer."""
    at = frame.received_at
    return replace(make_detections(frame.pts, received_at=at, age=answered), sent_at=at + asked)


def the_showing(frame: Frame, drawn: float, encoded: float) -> Showing:
    """Its way to viewers, where its pts is its index."""
    at = frame.received_at
    return Showing(frame, at + drawn, at + encoded, at + encoded + 0.001, frame.index)


def seen(frame: Frame, sent: float, received: float | None, painted: float) -> Receipt:
    """Its way to a screen."""
    at = frame.received_at
    return Receipt(frame.index, at + sent, None if received is None else at + received, at + painted)


def follow(ledger: Ledger, frame: Frame) -> None:
    """All of ON_TIME."""
    ledger.answered(frame, the_answer(frame, 0.016, 0.057))
    ledger.shown(the_showing(frame, 0.077, 0.086))
    ledger.sent(frame.index, frame.received_at + 0.088)
    assert ledger.painted(seen(frame, 0.088, 0.102, 0.118))
