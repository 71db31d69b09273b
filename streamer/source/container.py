"""What FFmpeg takes apart: bytes of ours, or what it fetches itself, as a container. One kind of `Opened`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import av
from av.container import InputContainer
from av.stream import Discard, Disposition

from streamer.source.allowance import Allowance
from streamer.source.opened import Unit, Video, limit
from streamer.source.protocol import Protocol
from streamer.source.reader import Reader
from streamer.source.sound_track import SoundTrack
from streamer.source.standing import Standing
from streamer.source.target import Limits
from streamer.values.clock import Clock, monotonic
from streamer.values.coded import OnSound
from streamer.values.errors import SourceError

BUFFER = 1 << 16
"""Bytes FFmpeg asks for at once where bytes come from us."""


@dataclass
class Contained:
    """What FFmpeg takes apart: a container, and what must be known to read it. One kind of `Opened`."""

    container: InputContainer
    protocol: Protocol
    recorded: bool = False
    ended_badly: Callable[[], bool] = lambda: False
    """Whether what looks like its end is not."""
    allowance: Allowance | None = None
    """What it may still be given before it gives a packet; None where FFmpeg reads by itself."""
    clock: Clock = monotonic
    _sound: SoundTrack | None = None
    _take: OnSound | None = None

    @property
    def audio(self) -> tuple[str, ...]:
        """Codecs of the sound beside the video."""
        return tuple(stream.codec_context.codec.canonical_name for stream in self.container.streams.audio)

    @property
    def lost(self) -> int:
        """None that FFmpeg would tell us of: it tells its log."""
        return 0

    def hear(self, take: OnSound) -> str | None:
        """Have its first sound handed on; gives why not, where there is none."""
        track = next(iter(self.container.streams.audio), None)
        if track is None:
            return "there is no sound beside the video"
        if getattr(track, "codec_context", None) is None:  # there is no decoder
            return "the sound beside the video is of a kind that is not known here"
        self._sound, self._take = SoundTrack(track), take
        return None

    def video(self, limits: Limits) -> Video:
        """Its first video, to be decoded within limits.

        Raises:
            SourceError: kind "codec" or "too_large".
        """
        if not self.container.streams.video:
            raise SourceError("codec", "the stream carries no video")
        stream = self._stream
        if stream.codec_context is None:
            raise SourceError("codec", "the stream's video codec cannot be decoded here")
        limit(stream.codec_context, limits)
        for other in self.container.streams:
            if other is not stream and (self._sound is None or other is not self._sound.stream):
                other.discard = Discard.all  # of HLS every rendition is fetched otherwise
        rate, aspect = stream.guessed_rate, stream.sample_aspect_ratio
        return Video(
            stream.codec_context,
            float(stream.time_base or 0),
            float(rate) if rate else None,
            float(aspect) if aspect else None,
            stream,
        )

    def units(self) -> Iterator[Unit]:
        """What comes, from where it stands to its end."""
        streams = [self._stream] if self._sound is None else [self._stream, self._sound.stream]
        standing = Standing(self._stream.codec_context)
        for packet in self.container.demux(*streams):
            now = self.clock()
            if self._sound is not None and packet.stream_index == self._sound.stream.index:
                self._heard(self._sound, packet, now)
                continue
            if self.allowance is not None:
                self.allowance.renew()
            video = cast("av.Packet[av.VideoStream]", packet)
            yield Unit(video, now, stands=standing.has(video))

    def _heard(self, sound: SoundTrack, packet: "av.Packet[Any]", now: float) -> None:
        heard = sound.take(packet, now)
        if heard is not None and self._take is not None:
            self._take(heard)

    def failed(self) -> bool:
        """Whether what looks like its end is not."""
        return self.ended_badly()

    def rewind(self) -> None:
        """Begin a recording again."""
        self.container.seek(0)

    @property
    def _stream(self) -> av.VideoStream:
        """The first video; a cover, which is a picture beside it, is none unless there is nothing else."""
        first, *rest = self.container.streams.video
        return next((each for each in (first, *rest) if not _is_picture(each)), first)


def _is_picture(stream: av.VideoStream) -> bool:
    """Whether a track holds a picture beside the video, as phones and drones write one."""
    decoder = getattr(stream.codec_context, "name", None)  # there is no context where there is no decoder
    return bool(stream.disposition & Disposition.attached_pic) or decoder in ("mjpeg", "png", "bmp", "gif", "webp")


@contextmanager
def contained(reader: Reader, protocol: Protocol) -> Iterator[Contained]:
    """A container of bytes that we fetch ourselves, for as long as the block lasts.

    Why there are no more is said here, and not by raising through FFmpeg: it reads on, and PyAV keeps one error only.

    Raises:
        SourceError: the reader's, when the block is left; it may be raised in the block too.
        OSError, av.FFmpegError: it is no such container.
    """
    try:
        with av.open(reader, "r", format=protocol.format, options=protocol.options, buffer_size=BUFFER) as container:
            yield Contained(
                container, protocol, ended_badly=lambda: reader.error is not None, allowance=reader.allowance
            )
    except (av.FFmpegError, OSError) as failure:
        raise reader.error or failure from None
    if reader.error is not None:
        raise reader.error
