"""SRT by way of the system's ffmpeg, since FFmpeg in PyAV's wheel has no SRT: it hands MPEG-TS over through a pipe."""

import os
import select
import shutil
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from streamer.source.failure import OPEN_TIMEOUT, stalled
from streamer.source.protocol import STALL_TIMEOUT
from streamer.source.stop import Stop
from streamer.values.clock import monotonic
from streamer.values.errors import SourceError
from streamer.values.tether import tethered

PROGRAM = "ffmpeg"
GLANCE = 0.25
"""Seconds from one look at whether to end to the next."""
MOST_SAID = 1 << 16
"""Bytes of what ffmpeg complains about that are kept."""
COMMAND = (
    # What is to be read comes as a list through stdin, since anybody on the machine reads a command line, and the
    # passphrase is in the URL.
    *("-hide_banner", "-loglevel", "error", "-f", "concat", "-safe", "0"),
    *("-protocol_whitelist", "pipe,fd,srt,udp"),
    # What comes is MPEG-TS, and none of the formats that name other things to open.
    *("-format_whitelist", "concat,mpegts", "-analyzeduration", "1000000", "-i", "pipe:0"),
    *("-map", "0:v:0"),
)
SOUND = ("-map", "0:a:0?", "-max_interleave_delta", "500000")
"""The sound too, if there is any. Pictures would wait ten seconds for one that has fallen silent."""
# The packets as they are, and at once.
OUTPUT = ("-c", "copy", "-flush_packets", "1", "-f", "mpegts", "pipe:1")


class Relay:
    """A running ffmpeg that reads one SRT URL. One that listens would keep its port from whoever comes after us, so it
    ends with the thread that made it, and with the process.

    Args:
        found: srt://host:port with libsrt's options in its query, as ffmpeg takes it; where the host has several
            addresses one URL for each, to be tried in turn.
        stop: ends a `read` that waits.
        listen: nobody has called us before, and need not yet.
        sound: pass on what is beside the video.

    Raises:
        SourceError: there is no ffmpeg, or none with SRT; in `read`, why it ended.
    """

    def __init__(self, found: Sequence[str], stop: Stop, *, listen: bool = False, sound: bool = False) -> None:
        self._stop, self._listen = stop, listen
        self._command = (*COMMAND, *(SOUND if sound else ()), *OUTPUT)
        self._heard = False
        self._said = b""
        """The end of what ffmpeg complained about: it is read as it comes, since a full pipe would hold ffmpeg up."""
        self._found = deque(found)
        self._patience = OPEN_TIMEOUT / len(found)
        """Seconds until the first bytes."""
        self._start()

    def _start(self) -> None:
        """Run ffmpeg on the first of what is left to try."""
        program = shutil.which(PROGRAM)
        if program is None:
            raise SourceError("unsupported", "srt:// needs the program ffmpeg, which is not installed on this machine")
        url = self._found.popleft()
        if self._listen:
            url += ("&" if "?" in url else "?") + "mode=listener"
        self._process = subprocess.Popen(
            tethered([program, *self._command]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._stop.attach(self._process.kill)
        assert self._process.stdin is not None  # noqa: S101  by Popen's contract
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"ffconcat version 1.0\nfile " + _quoted(url) + b"\n")
            self._process.stdin.close()
        self._said = b""
        self._poll = select.poll()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None  # noqa: S101  by Popen's contract
            self._poll.register(pipe, select.POLLIN)

    def read(self, size: int) -> bytes:
        """What has come, up to `size` bytes; none at the end."""
        while True:
            try:
                taken = self._receive(size)
                if taken or self._stop:
                    self._heard = self._heard or bool(taken)
                    return taken
                raise self._ended()
            except SourceError:
                if self._heard or not self._found:
                    raise
                self.close()
                self._start()

    def _receive(self, size: int) -> bytes:
        """The next bytes; none at the end.

        Raises:
            SourceError: nothing comes.
        """
        assert self._process.stdout is not None  # noqa: S101  by Popen's contract
        assert self._process.stderr is not None  # noqa: S101  by Popen's contract
        output, errors = self._process.stdout.fileno(), self._process.stderr.fileno()
        until = monotonic() + (STALL_TIMEOUT if self._heard else self._patience)
        while monotonic() < until:
            if self._stop:
                return b""
            ready = {descriptor for descriptor, _ in self._poll.poll(GLANCE * 1000)}
            if errors in ready:
                said = os.read(errors, 1 << 16)
                self._said = (self._said + said)[-MOST_SAID:]
                if not said:
                    self._poll.unregister(errors)
            if output in ready:
                return os.read(output, size)
        raise self._silent()

    def _silent(self) -> SourceError:
        if self._heard:
            return stalled()
        if self._listen:
            return SourceError("waiting", "no camera pushed yet")
        return SourceError("timeout", f"the camera did not answer within {OPEN_TIMEOUT:.0f} s")

    def _ended(self) -> SourceError:
        """Why ffmpeg ended. What it says carries the URL, so only its meaning is passed on."""
        assert self._process.stdout is not None  # noqa: S101  by Popen's contract
        assert self._process.stderr is not None  # noqa: S101  by Popen's contract
        self._poll.unregister(self._process.stdout)  # at its end it is ready for ever
        while self._poll.poll(GLANCE * 1000) and (more := os.read(self._process.stderr.fileno(), 1 << 16)):
            self._said = (self._said + more)[-MOST_SAID:]
        said = self._said.decode(errors="replace").lower()
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
