"""The section `ingress`: streams that are published by WebRTC."""

from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.config.recording import RecordSettings
from streamer.config.sampling import SamplingSettings
from streamer.values.name import NAMES, is_pattern


def checked_pattern(value: str) -> str:
    if not is_pattern(value):
        raise ValueError(f"{value!r} is no name; allowed are {NAMES}, and * and ? for some")
    return value


class IngressSettings(SamplingSettings):
    """Streams that are published by WebRTC (WHIP)."""

    names: list[Annotated[str, AfterValidator(checked_pattern)]] | None = None
    """Names that may be published, or patterns with * and ?. None: any on loopback, else none."""
    token: Annotated[str, Field(min_length=8)] | None = None
    """What a publisher must show. None: nothing."""
    max_publishers: Annotated[int, Field(ge=1, le=1000)] = 8
    max_pixels: Annotated[int, Field(ge=64 * 64, le=4096 * 2304)] = 1920 * 1080
    """Width times height of a picture."""
    max_fps: Annotated[float, Field(gt=0, le=240)] = 60.0
    """Frames a second that are taken; what comes beyond is dropped."""
    record: RecordSettings = RecordSettings()
    """Which of their video is kept, where there is an archive; without sound."""
