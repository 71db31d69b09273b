"""A report as a person reads it on a terminal. Pure."""

import textwrap

from streamer.doctor import facts
from streamer.doctor.case import share
from streamer.doctor.report import Report
from streamer.values import url

WIDTH = 100
"""Letters of a line."""
CODECS = {"h264": "H.264", "hevc": "H.265", "mjpeg": "MJPEG"}


def printout(report: Report) -> str:
    """The lines, without passwords and without anything a camera could do to a terminal."""
    lines = [report.target.url, _headline(report), ""]
    if report.error is not None:
        lines += [*_marked("!", str(report.error)), *_marked("→", report.remedy or "", indent="  "), ""]
    traits = report.seen.traits
    rows = _rows(report) + ([] if traits is None else facts.rows(traits))
    lines += [f"  {name:<15}{value}" for name, value in rows] + ([""] if rows else [])
    for finding in report.findings:
        lines += _marked("!" if finding.weight == "advice" else "·", finding.sentence)
        lines += _marked("→", finding.advice, indent="  ")
    text = url.redact("\n".join(lines).rstrip())
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")


def _headline(report: Report) -> str:
    if report.error is not None:
        return f"does not work: {report.error.kind}"
    count = sum(finding.weight == "advice" for finding in report.findings)
    return f"works; {'one thing' if count == 1 else f'{count} things'} would be better" if count else "healthy"


def _rows(report: Report) -> list[tuple[str, str]]:
    """What was measured, of which there is something."""
    measured, kind = report.measured, report.seen.kind
    if kind is None or not kind.codec:
        return []
    video = [f"{measured.width} × {measured.height}"] if measured.width else []
    video.append(" ".join(filter(None, (CODECS.get(kind.codec, kind.codec), kind.profile))))
    video += [] if measured.fps is None else [f"{measured.fps:.1f} fps"]
    video += [] if measured.bits_per_second is None else [f"{measured.bits_per_second / 1e6:.2f} Mbit/s"]
    rows = [("video", ", ".join(video))]
    if kind.codec != "mjpeg" and measured.gop_seconds is not None:
        apart = f"{measured.gop_seconds:.1f} s"
        kinds = "" if report.seen.traits is None else facts.keyframe_kinds(report.seen.traits)
        said = f"at least {apart} apart" if measured.gop_is_open else f"every {apart}"
        said = f"{said}: {kinds}" if kinds and kind.codec == "h264" else said
        rows.append(("keyframes", said if measured.keyframes or not kinds else kinds))
    if measured.first_picture_seconds is not None:
        answered = f"the camera had answered after {measured.open_seconds or 0.0:.2f} s"
        rows.append(("first picture", f"after {measured.first_picture_seconds:.2f} s; {answered}"))
    if measured.decode_milliseconds is not None and measured.load is not None:
        cost = f"{measured.decode_milliseconds:.1f} ms a picture, {share(measured.load)} of one core"
        rows.append(("decoding", cost))
    rows.append(("watched", f"{measured.watched_seconds:.1f} s, {measured.packets} packets"))
    return rows


def _marked(mark: str, text: str, indent: str = "") -> list[str]:
    """A sentence with a capital and a full stop behind its mark, in as many lines as it takes; none for ""."""
    if not text:
        return []
    whole = f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
    lines = textwrap.wrap(whole, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
    return [f"{indent}{mark if number == 0 else ' '} {line}" for number, line in enumerate(lines)]
