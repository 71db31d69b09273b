"""A session that plays (RFC 2326 section 10.5): the camera's packets, as they come, and what keeps it playing."""

import contextlib
import random
import select
from collections.abc import Callable, Iterator
from dataclasses import replace

from streamer.source.failure import stalled
from streamer.source.protocol import FIRST_TIMEOUT, STALL_TIMEOUT
from streamer.source.rtsp.beside import Beside
from streamer.source.rtsp.client import SEND_TIMEOUT
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.keepalive import Keepalive
from streamer.source.rtsp.message import Chunk, Message, Request
from streamer.source.rtsp.placement import Placement
from streamer.source.rtsp.port_pair import PortPair
from streamer.source.rtsp.report import INTERVAL, leavers, smallest
from streamer.source.rtsp.side import Side
from streamer.source.rtsp.traits import Traits
from streamer.source.rtsp.wire import LOOK, Closed, Wire
from streamer.source.target import Transport
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

QUICK_LOOK = 0.05
"""Seconds from one look at the clock to the next over UDP, where somebody may wait for a datagram that is lost."""
MOST_PACKETS = 20_000
"""Packets a second on any channel: four times what 4K at 50 Mbit/s comes in. Each costs the interpreter's lock."""

Packet = tuple[bytes, float]
"""An RTP packet and its monotonic arrival; empty: nothing has come so far."""
Run = tuple[list[bytes], float]
"""Packets that have come together."""


class Session:
    """Plays until its block is left; `open_session` makes one, and `record` one of a camera that pushes."""

    def __init__(
        self,
        wire: Wire,
        client: Side,
        clock: Clock,
        *,
        url: str,
        track: Track,
        placement: Placement,
        ports: PortPair | None,
        keepalive: Keepalive | None,
        traits: Traits,
        sound: Beside | None = None,
    ) -> None:
        self._wire, self._client, self._clock, self._url = wire, client, clock, url
        self._placement, self._ports, self._keepalive = placement, ports, keepalive
        self.track = track
        """The video that plays."""
        self.tracks = traits.tracks
        """All that the camera describes."""
        self._said = traits
        self.sound = sound
        """What comes beside it; None: it was not asked for, or is not given."""
        self.transport: Transport = placement.transport
        """How the packets come."""
        self.on_report: Callable[[bytes, float], None] = lambda report, now: None
        """Takes RTCP as it comes, with its monotonic arrival."""
        self.report: Callable[[], bytes] | None = None
        """Gives a receiver report (RFC 3550 section 6.4.2) for the camera; None: one that says nothing is sent."""
        self._ssrc = random.getrandbits(32)
        self._theirs = b""
        """The SSRC of the newest packet."""
        self._packet_at = self._reported_at = self._yielded_at = clock()
        self._looked_at = self._counted_since = self._packet_at
        self._counted = 0
        self._delivering = False
        self._poll = select.poll()
        for heard in (wire, ports.rtp, ports.rtcp) if ports is not None else ():
            self._poll.register(heard, select.POLLIN)
        for heard in () if sound is None else sound.sockets:
            self._poll.register(heard, select.POLLIN)

    @property
    def traits(self) -> Traits:
        """What is known of the camera, its packets aside."""
        kept = self._keepalive
        return replace(
            self._said,
            played=self.track,
            transport=self.transport,
            keepalive=None if kept is None else kept.method,
            session_timeout=None if kept is None else kept.timeout,
        )

    def packets(self) -> Iterator[Packet]:
        """What `runs` gives, one by one."""
        for run, now in self.runs():
            for data in run:
                yield data, now

    def runs(self) -> Iterator[Run]:
        """RTP packets as they come, and an empty one now and then where none does; ends with the stream.

        Raises:
            SourceError: why no more come, where the camera did not end it.
        """
        self._packet_at = self._yielded_at = self._clock()
        for early, arrived_at in self._client.early:
            if data := self._heard(early, arrived_at):
                yield [data], arrived_at
        self._client.early.clear()
        try:
            for run, now in self._runs():
                if run:
                    yield run, now
        except Closed:
            if self._keepalive is not None and not self._wire.stopped:
                self._keepalive.ended(self._clock())
        except SourceError as error:
            if self._wire.stopped:
                return
            if self._keepalive is not None and error.kind in ("ended", "stalled"):
                self._keepalive.ended(self._clock())
            raise

    def close(self) -> None:
        """Take leave of the camera, if it still listens."""
        if not self._wire.closed:
            with contextlib.suppress(SourceError, Closed):
                self._client.leave(self._url)

    # ---- what comes

    def _runs(self) -> Iterator[Run]:
        """What comes together: each costs a picture's reader as much as some of its packets."""
        if self._ports is None:
            yield from self._messages(self._packet_at)  # what came together with the answer to PLAY
        while not self._client.is_over:
            yield from self._round()

    def _round(self) -> Iterator[Run]:
        """What has come by now, what is to be sent by now, and whether it has been quiet for too long."""
        if self._ports is not None:
            yield from self._datagrams(self._ports)
        else:
            self._wire.receive()
            self._looked_at = self._clock()
            yield from self._messages(self._looked_at)
        # By the clock of what came: whoever takes his time with it makes no camera silent.
        self._require_life(self._looked_at)
        now = self._clock()
        self._maintain(now)
        if now - self._yielded_at >= (LOOK if self._ports is None else QUICK_LOOK):
            self._yielded_at = now
            yield [b""], now

    def _messages(self, now: float) -> Iterator[Run]:
        """What is whole of what has come over the connection; its packets are given, the rest is dealt with."""
        while True:
            if self._ports is None and (run := self._wire.run(self._placement.channels[0])):
                self._count(now, len(run))
                yield self._packets(run, now), now
            if (found := self._wire.take()) is None:
                return
            if data := self._heard(found, now):
                yield [data], now

    def _datagrams(self, ports: PortPair) -> Iterator[Run]:
        ready = {number for number, _ in self._poll.poll(QUICK_LOOK * 1000)}
        self._looked_at = now = self._clock()
        if ports.rtp.fileno() in ready:
            run = ports.read(ports.rtp)
            self._count(now, len(run))
            yield self._packets(run, now), now
        if ports.rtcp.fileno() in ready:
            for report in ports.read(ports.rtcp):
                self._reported(report, now)
        if self.sound is not None:
            self.sound.read(ready, now)
        if self._wire.fileno() in ready:
            self._wire.receive()
        for _ in self._messages(now):  # packets that nobody asked for
            pass

    def _heard(self, found: Chunk | Message, now: float) -> bytes | None:
        """Deal with what came over the connection; gives a packet of the video, if it is one."""
        self._count(now)
        if isinstance(found, tuple):
            channel, data = found
            if channel == self._placement.channels[0] and self._ports is None:
                self._packets([data], now)
                return data
            if channel == self._placement.channels[1] and self._ports is None:
                self._reported(data, now)
            elif self.sound is not None:
                self.sound.take(channel, data, now)
        elif isinstance(found, Request):
            self._client.serve(found)
        elif found.status == 401:
            self._client.tries_again(found)
        elif self._keepalive is not None:
            self._keepalive.answered(found.status)
        return None

    def _count(self, now: float, packets: int = 1) -> None:
        """Let no camera keep a thread busy with what is no video.

        Raises:
            SourceError: kind "too_large"; more comes than any video is.
        """
        if now - self._counted_since >= 1.0:
            self._counted_since, self._counted = now, 0
        self._counted += packets
        if self._counted > MOST_PACKETS:
            raise SourceError("too_large", f"the camera sends more than {MOST_PACKETS} packets a second")

    def _packets(self, run: list[bytes], now: float) -> list[bytes]:
        """Note that packets of the video have come."""
        if any(run):
            self._packet_at = self._yielded_at = now
            self._delivering, self._theirs = True, run[-1][8:12]
        return run

    def _reported(self, report: bytes, now: float) -> None:
        self.on_report(report, now)
        if self._theirs in leavers(report):
            self._client.is_over = True

    # ---- what is sent

    def _maintain(self, now: float) -> None:
        """What the camera wants to hear from time to time."""
        try:
            if self._keepalive is not None and self._keepalive.due(now):
                self._client.say(self._keepalive.method, self._url, seconds=SEND_TIMEOUT)
            if now - self._reported_at >= INTERVAL:
                self._reported_at = now
                self._report((self.report() if self.report is not None else b"") or smallest(self._ssrc))
        except SourceError as error:
            if error.kind != "ended":  # what it sent before it closed the connection is still to be read
                raise

    def _report(self, report: bytes) -> None:
        if self._ports is not None:
            self._ports.report(report)
        else:
            head = bytes((0x24, self._placement.channels[1])) + len(report).to_bytes(2)
            self._wire.send(head + report, SEND_TIMEOUT)

    def _require_life(self, now: float) -> None:
        """Reports do not count: a camera whose encoder hangs goes on sending them."""
        silent = now - self._packet_at
        if self._delivering and silent > STALL_TIMEOUT:
            raise stalled()
        if not self._delivering and silent > FIRST_TIMEOUT:
            does = "pushes" if self._keepalive is None else "plays"
            wish = "an encoder that pushes over TCP" if self._keepalive is None else "`transport: tcp`"
            way = "" if self._ports is None else f"; {wish} passes where datagrams do not"
            raise SourceError("timeout", f"the camera {does}, and sent nothing within {FIRST_TIMEOUT:.0f} s{way}")
