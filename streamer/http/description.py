"""A stream as the API shows it. docs/api.md says what each number means."""

from typing import Any

from streamer.stream.pipeline import Pipeline


def describe(stream: Pipeline) -> dict[str, Any]:
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
        "age_ms": _milliseconds(last.age if last is not None and state.word == "live" else None),
        "picture_age_ms": _milliseconds(view.age),
        "hold_ms": _milliseconds(view.aligner.held if view.watched else None),
        "model": stream.model.name,
        "findings": [] if contract is None else list(contract.findings),
        "viewers": view.viewers,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
