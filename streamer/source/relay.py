"""SRT by way of the system's ffmpeg, since FFmpeg in PyAV's wheel has no SRT: it hands MPEG-TS over through a pipe."""

import os
import select
import shutil
import subprocess
from contextlib import suppress

from streamer.errors import SourceError
from streamer.source.failure import OPEN_TIMEOUT, stalled
from streamer.source.protocol import STALL_TIMEOUT
from streamer.source.stop import Stop

PROGRAM = "ffmpeg"
GLANCE = 0.25
"""Seconds from one look at whether to end to the next."""
COMMAND = (
    # What is to be read comes as a list through stdin, since anybody on the machine reads a command line, and the
    # passphrase is in the URL.
    *("-hide_banner", "-loglevel", "error", "-f", "concat", "-safe", "0"),
    *("-protocol_whitelist", "pipe,fd,srt,udp", "-analyzeduration", "1000000", "-i", "pipe:0"),
    # The packets as they are, and at once.
    *("-map", "0:v:0", "-c", "copy", "-flush_packets", "1", "-f", "mpegts", "pipe:1"),
)


class Relay:
    """A running ffmpeg that reads one SRT URL.

    Args:
        url: srt://host:port with libsrt's options in its query, as ffmpeg takes it.
        stop: ends a `read` that waits.
        listen: nobody has called us before, and need not yet.

    Raises:
        SourceError: there is no ffmpeg, or none with SRT; in `read`, why it ended.
    """

    def __init__(self, url: str, stop: Stop, *, listen: bool = False) -> None:
        self._stop, self._listen = stop, listen
        self._heard = False
        program = shutil.which(PROGRAM)
        if program is None:
            raise SourceError("unsupported", "srt:// needs the program ffmpeg, which is not installed on this machine")
        if listen:
            url += ("&" if "?" in url else "?") + "mode=listener"
        self._process = subprocess.Popen(
            [program, *COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        stop.attach(self._process.kill)
        assert self._process.stdin is not None  # noqa: S101  by Popen's contract
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"ffconcat version 1.0\nfile " + _quoted(url) + b"\n")
            self._process.stdin.close()

    def read(self, size: int) -> bytes:
        """What has come, up to `size` bytes; none at the end."""
        assert self._process.stdout is not None  # noqa: S101  by Popen's contract
        output = self._process.stdout.fileno()
        patience = STALL_TIMEOUT if self._heard else OPEN_TIMEOUT
        waited = 0.0
        while not select.select([output], [], [], GLANCE)[0]:
            waited += GLANCE
            if self._stop:
                return b""
            if waited >= patience:
                raise self._silent()
        taken = os.read(output, size)
        if not taken and not self._stop:
            raise self._ended()
        self._heard = True
        return taken

    def _silent(self) -> SourceError:
        if self._heard:
            return stalled()
        if self._listen:
            return SourceError("waiting", "no camera pushed yet")
        return SourceError("timeout", f"the camera did not answer within {OPEN_TIMEOUT:.0f} s")

    def _ended(self) -> SourceError:
        """Why ffmpeg ended. What it says carries the URL, so only its meaning is passed on."""
        assert self._process.stderr is not None  # noqa: S101  by Popen's contract
        said = self._process.stderr.read(1 << 16).decode(errors="replace").lower()
        if self._heard:
            return SourceError("ended", "the camera ended the stream")
        if "passphrase" in said or "badsecret" in said or "unsecure" in said:
            return SourceError("authentication", "the camera refuses the passphrase")
        if "protocol not found" in said:
            return SourceError("unsupported", "srt:// needs an ffmpeg with SRT, and the one on this machine has none")
        if "reject" in said:
            return SourceError("authentication", "the camera rejects the connection")
        if self._listen and "address already in use" in said:
            return SourceError("unreachable", "cannot listen for the camera (Address already in use)")
        return SourceError("timeout", "the camera did not answer")

    def close(self) -> None:
        """End ffmpeg, and wait for its end. May be called twice."""
        self._stop.detach(self._process.kill)
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _quoted(url: str) -> bytes:
    """A text as FFmpeg's lists take it (ffmpeg-utils, "Quoting and escaping")."""
    return b"'" + url.encode().replace(b"'", b"'\\''") + b"'"
