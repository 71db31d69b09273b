"""Slots, as streams open them, and what is told of each."""

from dataclasses import replace

from serving.signature import Contract
from streamer.inference.slot import DropReason, Slot, SlotAnswer
from streamer.values.detections import Detections
from streamer.values.frame import Frame, Sample
from streamer.values.tiles import Region
from tests.peers.frames import make_frame, make_sample

CONTRACT = Contract("m", height=32, width=32, labels={})


class Answers:
    """Who was told what: (stream, index) of each slot's or picture's frame, and its answer, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, Detections | DropReason]] = []

    def of(self, slot: Slot) -> SlotAnswer:
        """Who is told of this slot."""
        return lambda _, answer: self.told.append((slot.stream, slot.frame.index, answer))

    def __call__(self, sample: Sample, answer: Detections | DropReason) -> None:
        self.told.append((sample.frame.stream, sample.frame.index, answer))

    def words(self) -> list[tuple[str, int, str]]:
        """The same with "detections" for an answer that has some."""
        return [
            (stream, index, "detections" if isinstance(answer, Detections) else answer)
            for stream, index, answer in self.told
        ]


def make_slot(
    stream: str,
    index: int = 0,
    received_at: float = 1000.0,
    *,
    answers: Answers | None = None,
    opened_at: float | None = None,
    period: float = 0.2,
    weight: float = 1.0,
    pictures: int = 1,
) -> Slot:
    """A stream is due with its frame of this number."""
    slot = Slot(
        stream,
        make_frame(index / 5, received_at, stream=stream, index=index),
        received_at if opened_at is None else opened_at,
        make=made,
        follow=lambda _: None,
        answer=lambda *_: None,
        chosen=lambda _: None,
        period=period,
        weight=weight,
        pictures=pictures,
    )
    if answers is not None:
        slot.answer = answers.of(slot)
    return slot


def made(frame: Frame, contract: Contract, has_room: bool) -> Sample:
    """A frame's sample."""
    return make_sample(frame)


def tiled(frame: Frame, tiles: int) -> Sample:
    """A frame's sample with so many tiles."""
    sample = make_sample(frame)
    return replace(sample, tiles=(replace(sample, region=Region(0, 0, 16, 16)),) * tiles)
