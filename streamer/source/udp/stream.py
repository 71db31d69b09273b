"""What comes in datagrams as a stream of bytes for FFmpeg: MPEG-TS, or NAL units between start codes."""

from collections.abc import Callable

from streamer.source.udp.sender import GLANCE, Sender


class Stream:
    """One sender's bytes.

    Args:
        sender: closed with this.
        unwrap: what is taken of each datagram.
    """

    def __init__(self, sender: Sender, unwrap: Callable[[bytes], bytes]) -> None:
        self._sender, self._unwrap = sender, unwrap
        self._rest = b"".join(unwrap(datagram.data) for datagram in sender.early)
        sender.early.clear()

    def read(self, size: int) -> bytes:
        """What has come, up to `size` bytes; none at the end.

        Raises:
            SourceError: kind "stalled" or "ended".
        """
        while not self._rest and not self._sender.stopped:
            # As many as are there: every call costs the thread a turn of the interpreter's lock.
            self._rest = b"".join(self._unwrap(datagram.data) for datagram in self._sender.take(GLANCE))
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self._sender.close()
