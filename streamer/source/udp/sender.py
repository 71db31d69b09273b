"""The one sender at a port that is listened to, found among others."""

from streamer.rtp.assembler import STRANGER_AFTER
from streamer.source.failure import stalled
from streamer.source.protocol import LISTEN_TIMEOUT, STALL_TIMEOUT
from streamer.source.stop import Stop
from streamer.source.udp.form import ALLOWED, Form, Look
from streamer.source.udp.port import Datagram, Port
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

GLANCE = 0.25
"""Seconds from one look at whether to end to the next."""
LOOK_FOR = 4.0
"""Seconds from the first datagram, within which it must show what they are: the doctor has eight for everything."""
MOST_SENDERS = 8
"""Senders that are looked at before one is understood."""
STRAY = 3
"""Datagrams of a sender below which it is nobody: somebody looks for open ports."""


class Sender:
    """Whoever sends what is played. Others' datagrams are ignored, until it has been silent for STRANGER_AFTER.

    Args:
        port: where it sends to; closed with this.
        stop: ends what waits.
        clock: monotonic seconds.
    """

    def __init__(self, port: Port, stop: Stop, clock: Clock) -> None:
        self._port, self._stop, self._clock = port, stop, clock
        self._address: tuple[str, int] | None = None
        self._heard_at = 0.0
        self.early: list[Datagram] = []
        """What it sent while it was looked at."""
        self.ignored = 0
        """Others' datagrams."""

    def recognise(self) -> Form:
        """Wait for a sender of something that is played.

        Raises:
            SourceError: kind "waiting", nobody sends; "protocol", what somebody sends is not played; "ended".
        """
        looks: dict[tuple[str, int], Look] = {}
        until, chosen = self._clock() + LISTEN_TIMEOUT, None
        while not self._stop:
            for datagram in self._port.receive(GLANCE):
                if not looks:
                    until = datagram.at + LOOK_FOR
                if datagram.sender not in looks and len(looks) >= MOST_SENDERS:
                    self.ignored += 1
                    continue
                look = looks.setdefault(datagram.sender, Look())
                form = look.take(datagram.data, datagram.at)
                if chosen is None and form is not None:
                    chosen = form
                    self._chosen(datagram.sender, look)
                elif datagram.sender == self._address:
                    self.early.append(datagram)
            if chosen is not None:
                return chosen
            if self._clock() >= until:
                return self._guess(looks)
        raise SourceError("ended", "given up")

    def take(self, seconds: float) -> list[Datagram]:
        """What has come of the sender; waits so long for it.

        Raises:
            SourceError: kind "stalled"; nothing has come for STALL_TIMEOUT. Kind "ended"; the port failed.
        """
        taken: list[Datagram] = []
        for datagram in self._port.receive(seconds):
            if datagram.sender != self._address:
                if datagram.at - self._heard_at < STRANGER_AFTER:
                    self.ignored += 1
                    continue
                self._address = datagram.sender
            self._heard_at = datagram.at
            taken.append(datagram)
        if not taken and self._clock() - self._heard_at > STALL_TIMEOUT:
            raise stalled()
        return taken

    @property
    def stopped(self) -> bool:
        """Whether nobody listens any more."""
        return bool(self._stop)

    def close(self) -> None:
        """Give the port back. May be called twice."""
        self._port.close()

    def _chosen(self, address: tuple[str, int], look: Look) -> None:
        self._address, self._heard_at = address, self._clock()
        self.early = [Datagram(data, address, at) for data, at in look.kept]

    def _guess(self, looks: dict[tuple[str, int], Look]) -> Form:
        for address, look in looks.items():
            if (form := look.guess()) is not None:
                self._chosen(address, look)
                return form
        most = max(looks.values(), key=lambda look: look.count, default=None)
        if most is None or most.count < STRAY:
            raise SourceError("waiting", "nobody sends yet")
        if (codec := most.unfinished()) is not None:
            said = f"the datagrams look like {codec} as a stream of bytes, without a parameter set in {LOOK_FOR:.0f} s"
            raise SourceError("timeout", said)
        raise SourceError("protocol", f"the datagrams are {most.named()}, which is not played; allowed are {ALLOWED}")
