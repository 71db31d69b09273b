"""A stream as the API shows it."""

from collections.abc import Mapping
from typing import Literal, NotRequired, cast

from typing_extensions import TypedDict

from streamer.stream.pipeline import Pipeline
from streamer.stream.recorder import Recorder
from streamer.values.errors import SourceErrorKind
from streamer.values.recording import RecordMode, RecordWord
from streamer.values.state import StreamStateWord


class RecordingDescription(TypedDict):
    """What is kept of a stream's video."""

    mode: RecordMode
    """As it is set: `record.mode` of the stream."""
    state: RecordWord
    """off. waiting: for video, or for an event. recording. behind: some of it was lost, as the disk is too slow.
    Nothing is kept while the disk is full or stuck, while writing is failing otherwise, and where the codec is
    unsupported."""
    reason: str | None
    """Why it is not all kept, as a sentence; else null."""
    days_fit: float | None
    """Days of this stream that the disk and `keep_gb` have room for at the rate of the last day; null while that is
    not known."""


class SubDescription(TypedDict):
    """A stream's smaller video, for whoever sees it small."""

    state: Literal["closed", "opening", "live"]
    """closed: nobody wishes for it. opening: it is tried, and viewers are sent the large video until it is live."""
    reason: str | None
    """Why it is not live, as a sentence; else null."""
    viewers: int
    """Whoever is sent it."""


class LatencyDescription(TypedDict):
    """Milliseconds that each stage of a picture's way took lately, at the median; null where it is not known.

    docs/latency.md says from where to where each goes.
    """

    camera: float | None
    """From the camera's picture to its arrival, by the camera's clock where that can be believed; not in `total`."""
    decode: float | None
    queue: float | None
    """From the decoder to the model server."""
    model: float | None
    hold: float | None
    """From the answer to the beginning of drawing; 0 where the picture did not wait for it."""
    encode: float | None
    """Drawing and encoding."""
    send: float | None
    """From the encoder to a viewer's connection."""
    network: float | None
    """To the browser; null where that does not tell, and `paint` begins with it."""
    paint: float | None
    """Decoding in the browser, to the screen."""
    total: float | None
    """From arrival to the end of the last stage that is known: the screen, the connection, or the answer."""


class StreamDescription(TypedDict):
    """A stream. Numbers that are not known are null."""

    name: str
    origin: Literal["file", "api", "publisher"]
    """Who named it: the configuration file, the API, or a publisher, by WHIP."""
    state: StreamStateWord | Literal["moving"]
    """connecting: no picture yet. live. stale: pictures without fresh detections, or no fresh picture. offline: the
    source failed and is tried again. paused: its camera is not connected. moving: of a cluster, no replica that answers
    runs it at this moment."""
    reason: str | None
    """Why it is not live, as a sentence; else null."""
    error: SourceErrorKind | None
    """Why the last attempt ended: one word, the same in the metric and the log; null while pictures come."""
    width: int | None
    """Pixels of the newest frame; null before the first, and until then `frame.jpg` is refused."""
    height: int | None
    fps: float | None
    """Frames a second, as they arrive."""
    detections_per_second: float | None
    """Frames a second that the model answered."""
    sample_fps: float
    """Samples a second that are asked for, by its settings."""
    effective_sample_fps: float | None
    """Samples a second that its model has the time for, over the last seconds; null where it is as many as are asked
    for, so near as makes no difference."""
    priority: float
    """Its weight among the streams of its model, where that cannot serve all as often as they ask."""
    pictures_per_sample: int | None
    """Pictures that the model looked at for its newest answer, which is what a sample costs: 1, and with `tiles` 5 or
    7; null before the first."""
    age_ms: float | None
    """Milliseconds from a sampled frame's arrival to its answer, the newest one's; null unless live."""
    picture_age_ms: float | None
    """Milliseconds from a frame's arrival to its leaving the service, drawn and encoded; null while nobody watches."""
    hold_ms: float | None
    """The part of `picture_age_ms` spent waiting for its boxes, which is less than their model takes where large
    pictures leave no room to wait; null while nobody watches."""
    latency: LatencyDescription | None
    """Where the time goes; null where no picture was answered lately."""
    model: str
    findings: list[str]
    """The labels of its model that call for a person, from the model's own contract; empty until the model was met."""
    viewers: int
    """By every way: WebRTC, JPEG pictures, and the camera's own pictures."""
    recording: RecordingDescription | None
    """null where there is no archive to keep it in."""
    sub: SubDescription | None
    """null where the camera has no second address."""
    replica: NotRequired[str | None]
    """The one of a cluster that runs it; null while it moves. Not there without a cluster."""


class WholeStream(StreamDescription):
    """A stream, and what is too long for a list that is asked for every second."""

    labels: list[str]
    """What its model tells apart, in the order of its ids; empty until the model was met."""
    makes_events: bool
    """Whether zones and lines are watched: they are where the configuration has a section `archive`."""


def describe_whole(stream: Pipeline) -> WholeStream:
    """The same, and its model's labels."""
    contract = stream.model.contract
    labels = [] if contract is None else [contract.labels[class_id] for class_id in sorted(contract.labels)]
    return {**describe(stream), "labels": list(dict.fromkeys(labels)), "makes_events": stream.events is not None}


def describe(stream: Pipeline) -> StreamDescription:
    """Its name, state and numbers; these are null while unknown."""
    state = stream.state()
    view, last = stream.view, stream.last
    width, height = stream.size or (None, None)
    contract = stream.model.contract
    return {
        "name": stream.name,
        "origin": stream.origin,
        "state": state.word,
        "reason": state.reason,
        "error": None if stream.paused else stream.source.error,
        "width": width,
        "height": height,
        "fps": _rounded(stream.fps),
        "detections_per_second": _rounded(stream.answers_per_second),
        "sample_fps": stream.sampling.fps,
        "effective_sample_fps": _rounded(stream.inquiry.granted),
        "priority": stream.sampling.priority,
        "pictures_per_sample": stream.pictures_per_sample,
        "age_ms": _milliseconds(last.age if last is not None and state.word == "live" else None),
        "picture_age_ms": _milliseconds(view.age),
        "hold_ms": _milliseconds(view.aligner.held if view.watched else None),
        "latency": _latency(stream.latency()),
        "model": stream.model.name,
        "findings": [] if contract is None else list(contract.findings),
        "viewers": view.viewers + stream.sizes.viewers,
        "recording": None if stream.recorder is None else _recording(stream.recorder),
        "sub": None if stream.sub.source is None else _sub(stream),
    }


def _sub(stream: Pipeline) -> SubDescription:
    sub = stream.sub
    state: Literal["closed", "opening", "live"] = "opening" if sub.reason is not None else "live"
    return {
        "state": state if sub.is_open else "closed",
        "reason": sub.reason,
        "viewers": stream.sizes.small.viewers,
    }


def _recording(recorder: Recorder) -> RecordingDescription:
    state = recorder.state
    return {
        "mode": recorder.recording.mode,
        "state": state.word,
        "reason": state.reason,
        "days_fit": recorder.days_fit,
    }


def _latency(latest: Mapping[str, float | None] | None) -> LatencyDescription | None:
    if latest is None:
        return None
    return cast(LatencyDescription, {stage: _milliseconds(seconds) for stage, seconds in latest.items()})


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
