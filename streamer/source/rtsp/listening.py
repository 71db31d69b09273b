"""One camera's sound, out of the packets beside its video: what is kept of it, and when it is heard."""

import contextlib
import time

from streamer.rtp.alignment import Alignment
from streamer.rtp.packet import Malformed, read_packet
from streamer.rtp.reports import SenderReport, read_reports
from streamer.rtp.sound import SoundReader
from streamer.rtp.wall import Wall
from streamer.source.rtsp.beside import Beside
from streamer.values.coded import MICROSECONDS, CodedSound, OnSound


class Listening:
    """To one session's sound; whoever makes pictures of the video tells it of each.

    Args:
        beside: the sound.
        reader: of its packets.
        take: given what is heard.
    """

    def __init__(self, beside: Beside, reader: SoundReader, take: OnSound) -> None:
        self._track, self._reader, self._take = beside.track, reader, take
        self._alignment = Alignment()
        self._wall = Wall(beside.track.clock_rate)
        self._pictured: tuple[float, float] | None = None
        """The newest picture's time by its clock, and by the camera's wall clock."""
        self._sequence: int | None = None
        self._ticks: int | None = None
        """The newest timestamp, counted on past 32 bits."""
        beside.on_packet, beside.on_report = self._heard, self._reported

    def pictured(self, placed: float, arrival: float, wall: float | None) -> None:
        """A picture has come.

        Args:
            placed: when it is shown, in the seconds that it is handed on with.
            arrival: monotonic seconds.
            wall: the same by the camera's clock, in seconds since 1970; None: it is not told, or not believed.
        """
        self._alignment.pictured(placed, arrival)
        self._pictured = None if wall is None else (placed, wall)

    def _heard(self, data: bytes, now: float) -> None:
        """One packet; one that is not what it says, or comes too late, is passed over."""
        try:
            packet = read_packet(data)
            if packet.payload_type != self._track.payload_type or not self._is_next(packet.sequence):
                return
            seconds = self._seconds(packet.timestamp)
            pieces = list(self._reader.read(packet))
        except Malformed:
            return
        rate = self._track.clock_rate
        placed = self._alignment.place(seconds, now, self._said(seconds))
        if placed is None:
            return
        for piece, later, ticks in pieces:
            at = round((placed + later / rate) * MICROSECONDS)
            self._take(CodedSound(piece, at, round(ticks / rate * MICROSECONDS), now, self._reader.form))

    def _said(self, seconds: float) -> float | None:
        """When it is heard, as the reports of sound and video tell."""
        wall = self._wall.at(seconds)
        if wall is None or self._pictured is None:
            return None
        placed, at = self._pictured
        return placed + wall - at

    def _is_next(self, sequence: int) -> bool:
        step = 1 if self._sequence is None else (sequence - self._sequence) & 0xFFFF
        if not 0 < step < 0x8000:
            return False
        self._sequence = sequence
        return True

    def _seconds(self, timestamp: int) -> float:
        if self._ticks is None:
            self._ticks = timestamp
        self._ticks += (timestamp - self._ticks + (1 << 31)) % (1 << 32) - (1 << 31)
        return self._ticks / self._track.clock_rate

    def _reported(self, report: bytes, now: float) -> None:
        with contextlib.suppress(Malformed):
            for each in read_reports(report):
                if isinstance(each, SenderReport):
                    self._wall.take(each, time.time())
