"""The doctor's answer: one word, what was measured, and what to do; as a document for programs."""

import base64
from dataclasses import dataclass
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from streamer.doctor import facts
from streamer.doctor.case import Finding, FindingKind, Weight
from streamer.doctor.facts import RtspDocument
from streamer.doctor.findings import judge
from streamer.doctor.measurements import Measurements, measure
from streamer.doctor.observation import Observation
from streamer.doctor.remedies import remedy
from streamer.doctor.still import jpeg
from streamer.source.failure import stalled
from streamer.source.target import Target
from streamer.values import url
from streamer.values.errors import SourceError, SourceErrorKind

Verdict = Literal["healthy", "advice"] | SourceErrorKind
"""Fine; it works, and could work better; or why it does not work."""

SILENCE = 2.5
"""Seconds without a packet at the end of the watching that are a stall: FFmpeg gives up after four."""


class FindingDocument(TypedDict):
    """Something that was found. Its texts come without a sentence's capital and full stop."""

    kind: FindingKind
    weight: Weight
    """advice: what would make the stream better. note: nothing need change."""
    sentence: str
    """What was found."""
    advice: str | None
    """What to do about it, or what it means."""


class ReportDocument(TypedDict):
    """What is wrong with a camera, and what it sends.

    Numbers that are not known are null: of a camera that does not work, nearly all.
    """

    url: str
    """Without its password."""
    verdict: Verdict
    """The whole in one word; waiting: nobody pushed."""
    works: bool
    """There is video."""
    reason: str | None
    """Why it does not work, without a sentence's capital and full stop."""
    remedy: str | None
    """What to do next where it does not, in the same form."""
    realm: str | None
    """What the camera asks a password for."""
    findings: list[FindingDocument]
    """Advice first."""
    codec: str | None
    profile: str | None
    pixel_format: str | None
    width: int | None
    height: int | None
    fps: float | None
    bits_per_second: float | None
    gop_seconds: float | None
    """From one keyframe to the next, the longest that was seen."""
    gop_is_at_least: bool
    """No keyframe followed while it was watched: `gop_seconds` is a lower bound."""
    open_seconds: float | None
    """Until the camera had said what it sends."""
    first_picture_seconds: float | None
    """Until the first decoded picture."""
    decode_ms: float | None
    """Milliseconds of processor time for one picture, on this machine."""
    clock_ahead_seconds: float | None
    """Of the camera's clock against this machine's; null where it does not tell."""
    datagrams_lost: int | None
    watched_seconds: float | None
    packets: int
    """Of video: encoded pictures, or parts of one."""
    rtsp: RtspDocument | None
    """Of an RTSP camera that we ask, also where it then failed; null of any other, and of one that did not answer."""
    still: NotRequired[str]
    """The first picture as a `data:` URL of a JPEG, upright and 1280 pixels long at the most, where one was asked for
    and came."""


@dataclass(frozen=True)
class Report:
    """One camera's."""

    target: Target
    seen: Observation
    measured: Measurements
    findings: tuple[Finding, ...]
    error: SourceError | None
    """Why it does not work; None where it does."""

    @property
    def verdict(self) -> Verdict:
        """The whole in one word."""
        if self.error is not None:
            return self.error.kind
        return "advice" if any(finding.weight == "advice" for finding in self.findings) else "healthy"

    @property
    def remedy(self) -> str | None:
        """What to do about a camera that does not work."""
        return None if self.error is None else remedy(self.error.kind, self.target, self.seen)

    @property
    def exit_code(self) -> int:
        """0 healthy, 3 it works and there is advice, 1 it does not work."""
        return {"healthy": 0, "advice": 3}.get(self.verdict, 1)

    def still(self, longest: int | None = None) -> bytes | None:
        """The first picture as a JPEG, None where there was none. Takes milliseconds.

        Args:
            longest: pixels of its longer side at the most; None: its own size.
        """
        return None if self.seen.picture is None else jpeg(self.seen.picture, longest)

    def document(self, still: bytes | None = None) -> ReportDocument:
        """The same for a program. Carries no password.

        Args:
            still: a JPEG to put into it as a data URL.
        """
        measured, kind = self.measured, self.seen.kind
        error = self.error
        document: ReportDocument = {
            "url": url.redact(self.target.url),
            "verdict": self.verdict,
            "works": error is None,
            "reason": None if error is None else url.redact(str(error)),
            "remedy": None if self.remedy is None else url.redact(self.remedy),
            "realm": None if self.seen.realm is None else url.redact(self.seen.realm),
            "findings": [
                {
                    "kind": finding.kind,
                    "weight": finding.weight,
                    "sentence": url.redact(finding.sentence),
                    "advice": url.redact(finding.advice) or None,
                }
                for finding in self.findings
            ],
            "codec": kind.codec if kind is not None and kind.codec else None,
            "profile": None if kind is None else kind.profile,
            "pixel_format": None if kind is None else kind.pixel_format,
            "width": measured.width,
            "height": measured.height,
            "fps": _rounded(measured.fps, 2),
            "bits_per_second": _rounded(measured.bits_per_second),
            "gop_seconds": _rounded(measured.gop_seconds, 2),
            "gop_is_at_least": measured.gop_is_open,
            "open_seconds": _rounded(measured.open_seconds, 3),
            "first_picture_seconds": _rounded(measured.first_picture_seconds, 3),
            "decode_ms": _rounded(measured.decode_milliseconds, 2),
            "clock_ahead_seconds": _rounded(measured.clock_ahead_seconds, 2),
            "datagrams_lost": self.seen.lost,
            "watched_seconds": _rounded(measured.watched_seconds, 2),
            "packets": measured.packets,
            "rtsp": None if self.seen.traits is None else facts.document(self.seen.traits),
        }
        if still is not None:
            document["still"] = "data:image/jpeg;base64," + base64.b64encode(still).decode()
        return document


def report(target: Target, seen: Observation, *, sample_fps: float = 5.0) -> Report:
    """Judge what was seen. Pure.

    Args:
        target: what was examined.
        seen: what came.
        sample_fps: pictures a second that the model is to see.
    """
    measured = measure(seen)
    error = _error(seen, measured)
    # Where nothing came of it, what would be better is beside the point.
    findings = () if error is not None and not seen.pictures else judge(target, seen, measured, sample_fps)
    return Report(target, seen, measured, findings, error)


def _error(seen: Observation, measured: Measurements) -> SourceError | None:
    """Why it does not work."""
    if seen.error is not None:
        return seen.error
    slowest = 3 / measured.fps if measured.fps else 0.0
    if measured.silent_seconds > max(SILENCE, slowest):
        return stalled(measured.silent_seconds)
    if not measured.packets:
        return SourceError("stalled", "the camera answered, and sent nothing")
    if measured.keyframes and not seen.pictures:
        return SourceError("codec", "no picture could be decoded from what the camera sends")
    if not seen.pictures and seen.size is None:
        sentence = "the camera sends neither a keyframe nor what a decoder must know of its pictures"
        return SourceError("codec", sentence)
    return None


def _rounded(value: float | None, digits: int = 0) -> float | None:
    return None if value is None else round(value, digits) if digits else round(value)
