"""The kinds of cameras there are: what opens each.

It is imported with the first camera of its kind, in the thread that opens it: most services read one kind or two, and
start without the others.
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from streamer.source.opened import Opened
from streamer.source.stop import Stop
from streamer.source.target import Target

if TYPE_CHECKING:
    from streamer.source.rtsp.keepalive import Habits
    from streamer.source.rtsp.place import Place
    from streamer.source.rtsp.traits import Learn


def _forget(_: object) -> None:
    """For whoever does not ask what a camera says of itself."""


def open_target(
    target: Target,
    stop: Stop,
    habits: "Habits | None" = None,
    learn: "Learn" = _forget,
    place: "Place | None" = None,
) -> AbstractContextManager[Opened]:
    """Open a target, for as long as the block lasts. Blocks; `stop` ends what it waits for, where FFmpeg lets it.

    Args:
        target: what to open.
        stop: ends it.
        habits: what earlier attempts found out about the camera.
        learn: takes what this one finds out, by RTSP, or by RTP alone; the last time when the block is left.
        place: where cameras push RTSP to the stream, kept from one attempt to the next; None: for this one alone.

    Raises:
        SourceError: why it cannot be opened, where that is known.
        OSError, av.FFmpegError: why not, in FFmpeg's words.
    """
    target.require_allowed()
    match target.scheme:
        case "rtsp" | "rtsps" if target.listen:
            from streamer.source.rtsp.recording import record

            return record(target, stop, place, learn)
        case "rtsp" | "rtsps":
            from streamer.source.rtsp.playing import play

            return play(target, stop, habits, learn)
        case "rtmp":
            from streamer.source.rtmp import flow

            return flow(target)
        case "udp":
            from streamer.source.udp.hearing import hear

            return hear(target, stop, learn)
        case "srt":
            from streamer.source.srt import relayed

            return relayed(target, stop)
        case "http" | "https":
            from streamer.source.web import fetch

            return fetch(target, stop)
        case "file":
            from streamer.source.file import read_file

            return read_file(target)
        case scheme:
            raise KeyError(scheme)
