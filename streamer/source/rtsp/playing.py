"""What a camera plays by RTSP, as encoded pictures, each the moment its last packet is here. One kind of `Opened`."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Protocol as Interface
from typing import cast

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from streamer.rtp.assembler import Assembler
from streamer.rtp.clock import RtpClock
from streamer.rtp.codecs import CODECS
from streamer.rtp.jpeg import JpegReader
from streamer.rtp.packet import Hopeless, Malformed, read_packet
from streamer.rtp.payload import Entry, never
from streamer.rtp.picture import Picture
from streamer.rtp.reports import Reception, SenderReport, read_reports
from streamer.rtp.sound import reader_of
from streamer.rtp.wall import Wall
from streamer.source import protocol as protocols
from streamer.source.failure import printable
from streamer.source.opened import Unit, Video, limit
from streamer.source.protocol import Protocol
from streamer.source.rtsp.beside import Beside
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.keepalive import Habits
from streamer.source.rtsp.listening import Listening
from streamer.source.rtsp.opening import open_session
from streamer.source.rtsp.traits import KeyframeKind, Learn, SetsPlace, Traits, forget
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target, Transport
from streamer.values.clock import Clock, monotonic
from streamer.values.coded import OnSound
from streamer.values.errors import SourceError

PATIENCE: dict[Transport, float] = {"tcp": 0.0, "udp": 0.1}
"""Seconds a packet may come after a later one: by TCP none does."""
REFRESH_AFTER = 2.5
"""Seconds without a picture that stands for itself after which one that is refreshed bit by bit is begun at any."""
NEWS = 0.25
"""Seconds from one word that something comes to the next, while no picture is whole."""
MOST_MALFORMED = 100
"""Packets that are not what they say, without a picture between them, after which it is no damage on the way."""
TICKS = 1_000_000
"""A second in the times of what is handed on."""
TICK = Fraction(1, TICKS)
WITH_SETS = ("H264", "H265", "MP4V-ES")
"""Codecs that a decoder must be told of beside the pictures."""
KINDS: dict[Entry, KeyframeKind] = {
    Entry.KEY: "key",
    Entry.POINT: "recovery point",
    Entry.INTRA: "intra",
    Entry.NONE: "refresh",
}


@contextmanager
def play(
    target: Target, stop: Stop, habits: Habits | None = None, learn: Learn = forget, clock: Clock = monotonic
) -> Iterator["Playing"]:
    """Have a camera play, for as long as the block lasts. Blocks; `stop` ends whatever it waits for at once.

    `learn` takes what the camera says of itself, as it does, and in the end what it has shown.

    Raises:
        SourceError: why it does not.
    """
    with open_session(target, stop, clock, habits, learn) as session:
        playing = Playing(session, target, clock)
        try:
            yield playing
        finally:
            learn(playing.traits)


class Packets(Interface):
    """Where a camera's packets come from: `Session` says what each is."""

    on_report: Callable[[bytes, float], None]
    report: Callable[[], bytes] | None

    @property
    def track(self) -> Track: ...

    @property
    def tracks(self) -> tuple[Track, ...]: ...

    @property
    def transport(self) -> Transport: ...

    @property
    def traits(self) -> Traits: ...

    @property
    def sound(self) -> Beside | None: ...

    def runs(self) -> Iterator[tuple[list[bytes], float]]: ...


class Playing:
    """A camera that plays."""

    recorded = False

    def __init__(self, session: Packets, target: Target, clock: Clock) -> None:
        track = session.track
        self.protocol: Protocol = protocols.PLAYED
        self._session, self._limits, self._clock = session, target.limits, clock
        self._codec = CODECS.get(track.codec)
        self._read = None if self._codec is None else self._codec.depacketizer(track.fmtp)
        self._assembler = Assembler(
            clock_rate=track.clock_rate,
            patience=PATIENCE[session.transport],
            trusts_marker=False,
            max_bytes=target.limits.max_packet_bytes,
            refresh_after=REFRESH_AFTER,
            parameter_sets=track.parameter_sets,
            ending=b"" if self._codec is None else self._codec.ending,
        )
        self._times = RtpClock()
        self._wall = Wall(track.clock_rate)
        self._reception = Reception(track.clock_rate)
        self._ssrc = random.getrandbits(32)
        self._malformed = self._foreign = 0
        self._pictures = 0
        self._begun = set[Entry]()
        """With which kinds of pictures decoding could begin."""
        self._sets_in_band = False
        self._video: Video | None = None
        self._listening: Listening | None = None
        self._own_at: float | None = None
        """When the newest packet of the video came."""
        session.on_report = self._report
        session.report = lambda: self._reception.write(self._ssrc, self._clock())

    @property
    def audio(self) -> tuple[str, ...]:
        """Codecs of the sound beside the video, which is not set up."""
        return tuple(track.codec.lower() for track in self._session.tracks if track.media == "audio")

    @property
    def lost(self) -> int:
        """Packets that never came; 0 of a camera whose numbers mean nothing."""
        return self._reception.lost if self._assembler.numbered else 0

    @property
    def traits(self) -> Traits:
        """What it says of itself, and has shown of its ways so far."""
        track, counted, numbered = self._session.track, self._reception, self._assembler.numbered
        places: tuple[tuple[SetsPlace, bool], ...] = (
            ("described", bool(track.parameter_sets)),
            ("in band", self._sets_in_band),
        )
        return replace(
            self._session.traits,
            packets=counted.expected if numbered else counted.received,
            lost=counted.lost if numbered else None,
            numbered=numbered,
            markers=self._assembler.marker_habit if self._pictures else None,
            clock_pace=self._times.rate,
            parameter_sets=tuple(place for place, is_so in places if is_so) if track.codec in WITH_SETS else None,
            keyframes=tuple(KINDS[entry] for entry in sorted(self._begun, reverse=True)),
        )

    def hear(self, take: OnSound) -> str | None:
        """Have its sound handed on; gives why not, where it is not set up, or of a kind that is not kept."""
        sound = self._session.sound
        if sound is None:
            described = any(track.media == "audio" for track in self._session.tracks)
            return f"the camera {'does not give its sound' if described else 'describes no sound'}"
        track = sound.track
        reader = reader_of(track.codec, track.clock_rate, track.channels, track.fmtp)
        if reader is None:
            return f"the camera's sound is {printable(track.codec) or 'of a kind it does not name'}, which is not kept"
        self._listening = Listening(sound, reader, take)
        return None

    def video(self, limits: Limits) -> Video:
        """Its video, to be decoded within limits.

        Raises:
            SourceError: kind "codec".
        """
        track = self._session.track
        if self._codec is None:
            raise SourceError("codec", f"the camera sends {track.codec}, which cannot be decoded here")
        context = cast(VideoCodecContext, av.CodecContext.create(self._codec.decoder, "r"))
        limit(context, limits)
        self._video = Video(context, 1 / TICKS, track.frame_rate)
        return self._video

    def units(self) -> Iterator[Unit]:
        """What comes, to the end."""
        told_at = self._clock()
        for run, now in self._session.runs():
            pictures = False
            for picture in self._pictures_of(run, now):
                pictures = True
                yield self._unit(picture)
            if run[0] and (pictures or now - told_at >= NEWS):
                told_at = now
                if not pictures and self._own_at == now:
                    yield Unit(None, now)
        now = self._clock()
        yield Unit(cast("av.Packet[av.VideoStream]", av.Packet()), now)

    def failed(self) -> bool:
        """It has no end that is none."""
        return False

    def rewind(self) -> None:
        """What is live cannot be begun again."""

    def _pictures_of(self, run: list[bytes], now: float) -> Iterator[Picture]:
        """The pictures that are whole with packets which came together; the first of them is empty where none came."""
        at, continues = 0, never if self._codec is None else self._codec.continues
        while at < len(run):
            went_on = self._assembler.go_on(run, at, continues, now)
            if went_on is not None:
                count, last = went_on
                self._own_at = now
                self._reception.take_run(last, count, now)
                at += count
                continue
            yield from self._take(run[at], now) if run[at] else self._assembler.tick(now)
            at += 1

    def _take(self, data: bytes, now: float) -> list[Picture]:
        """One packet; one that is not what it says is passed over.

        Raises:
            SourceError: kind "unsupported", no picture has come of what cannot be read; "protocol", what comes is not
                what was described; "too_large".
        """
        track = self._session.track
        try:
            packet = read_packet(data)
            if packet.payload_type != track.payload_type or self._read is None:
                self._pass_over(packet.payload_type)
                return []
            self._own_at = now
            self._reception.take(packet, now)
            if packet.extension and isinstance(self._read, JpegReader):
                self._read.extend(packet.extension)
            payload = self._read(packet.payload)
            self._sets_in_band |= payload.parameter_sets
        except Malformed as error:
            self._malformed += MOST_MALFORMED if isinstance(error, Hopeless) else 1
            if self._malformed >= MOST_MALFORMED:
                raise SourceError("unsupported", f"the camera's packets cannot be read: {error}") from None
            return []
        pictures = self._assembler.put(packet, payload, now)
        if pictures:
            self._malformed = 0
            if isinstance(self._read, JpegReader):  # FFmpeg's decoder refuses, and does not say why
                self._limits.require_size(*self._read.size)
        if self._assembler.too_large:
            sentence = f"the camera sends a picture of more than {self._limits.max_packet_bytes} bytes"
            raise SourceError("too_large", sentence)
        return pictures

    def _pass_over(self, payload_type: int) -> None:
        """A packet of something else than the video, as some cameras send beside it.

        Raises:
            SourceError: kind "protocol"; there is nothing else.
        """
        self._foreign += 1
        if self._own_at is None and self._foreign >= MOST_MALFORMED:
            described = self._session.track.payload_type
            raise SourceError("protocol", f"the camera describes payload type {described} and sends {payload_type}")

    def _unit(self, picture: Picture) -> Unit:
        self._pictures += 1
        if picture.is_keyframe:
            self._begun.add(picture.entry)
        if self._video is not None and not picture.is_whole:
            # What is refreshed bit by bit counts as damaged until it is whole, and is not handed on before.
            self._video.context.flags |= Flags.output_corrupt
        elif self._video is not None and picture.is_keyframe:
            self._video.context.flags &= ~Flags.output_corrupt
        packet = av.Packet(picture.data)
        placed, wall = self._times.place(picture.pts, picture.received_at), self._wall.at(picture.pts)
        if self._listening is not None:
            self._listening.pictured(placed, picture.received_at, wall)
        packet.pts = packet.dts = round(placed * TICKS)
        packet.time_base = TICK
        packet.is_keyframe = picture.is_keyframe
        return Unit(
            cast("av.Packet[av.VideoStream]", packet),
            picture.received_at,
            wall,
            picture.is_whole,
            stands=picture.stands,
        )

    def _report(self, report: bytes, now: float) -> None:
        with contextlib.suppress(Malformed):
            for each in read_reports(report):
                if isinstance(each, SenderReport):
                    self._reception.take_report(each, now)
                    self._wall.take(each, time.time())
