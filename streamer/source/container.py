"""A target opened as one of FFmpeg's containers."""

import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import av
from av.container import InputContainer
from av.stream import Discard, Disposition

from streamer.source import protocol as protocols
from streamer.source.allowance import Allowance
from streamer.source.dialler import Dialler
from streamer.source.download import Download
from streamer.source.failure import OPEN_TIMEOUT, printable
from streamer.source.motion_jpeg import pictures_of
from streamer.source.movie import Movie
from streamer.source.opened import Opened, Unit, Video, limit
from streamer.source.playlist import Playlist
from streamer.source.protocol import LISTEN_TIMEOUT, STALL_TIMEOUT, Protocol
from streamer.source.reader import Reader, Seekable
from streamer.source.relay import Relay
from streamer.source.rtsp import Habits, Learn, Place, forget
from streamer.source.rtsp.playing import Playing, play
from streamer.source.rtsp.recording import record
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target
from streamer.source.udp.bare_rtp import BareRtp
from streamer.source.udp.form import TRANSPORT_STREAM, rtp_payload
from streamer.source.udp.port import Port
from streamer.source.udp.sender import Sender
from streamer.source.udp.stream import Stream
from streamer.values import url as urls
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import SourceError

BUFFER = 1 << 16
"""Bytes FFmpeg asks for at once where bytes come from us."""


@dataclass(frozen=True)
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

    @property
    def audio(self) -> tuple[str, ...]:
        """Codecs of the sound beside the video."""
        return tuple(stream.codec_context.codec.canonical_name for stream in self.container.streams.audio)

    @property
    def lost(self) -> int:
        """None that FFmpeg would tell us of: it tells its log."""
        return 0

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
            if other is not stream:
                other.discard = Discard.all  # of HLS every rendition is fetched otherwise
        rate, aspect = stream.guessed_rate, stream.sample_aspect_ratio
        return Video(
            stream.codec_context,
            float(stream.time_base or 0),
            float(rate) if rate else None,
            float(aspect) if aspect else None,
        )

    def units(self) -> Iterator[Unit]:
        """What comes, from where it stands to its end."""
        for packet in self.container.demux(self._stream):
            now = self.clock()
            if self.allowance is not None:
                self.allowance.renew()
            yield Unit(packet, now)

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


def open_target(
    target: Target, stop: Stop, habits: Habits | None = None, learn: Learn = forget, place: Place | None = None
) -> AbstractContextManager[Opened]:
    """Open a target, for as long as the block lasts. Blocks; `stop` ends what it waits for, where FFmpeg lets it.

    Args:
        target: what to open.
        stop: ends it.
        habits: what earlier attempts found out about the camera.
        learn: takes what this one finds out, where it comes by RTSP; the last time when the block is left.
        place: where cameras push RTSP to the stream, kept from one attempt to the next; None: for this one alone.

    Raises:
        SourceError: why it cannot be opened, where that is known.
        OSError, av.FFmpegError: why not, in FFmpeg's words.
    """
    target.require_allowed()
    if target.scheme in ("rtsp", "rtsps"):
        return record(target, stop, place, learn) if target.listen else play(target, stop, habits, learn)
    return _OPENERS[target.scheme](target, stop)


@contextmanager
def _rtmp(target: Target, stop: Stop) -> Iterator[Contained]:
    protocol = protocols.RTMP_LISTEN if target.listen else protocols.RTMP
    if target.destinations.pins:  # the name still has to reach a server that has several
        application = {"rtmp_tcurl": urls.without_login(target.url).rpartition("/")[0]}
        protocol = replace(protocol, options=protocol.options | application)
    try:
        container = _connect(target, _addresses(target), protocol)
    except OSError as error:
        if target.listen or error.errno != errno.EIO:
            raise
        raise SourceError("protocol", "what answers at this port does not speak RTMP") from None  # as FFmpeg calls it
    with container:
        yield Contained(container, protocol)


@contextmanager
def _udp(target: Target, stop: Stop) -> Iterator[Opened]:
    """Datagrams, whatever they turn out to carry."""
    asked = parse_qs(urlsplit(target.url).query)  # FFmpeg's own word for it
    address = target.destinations.addresses(target.host, target.port)[0]
    port = Port(address, target.port, monotonic, *asked.get("localaddr", ())[:1])
    with closing(Sender(port, stop, monotonic)) as sender:
        form = sender.recognise()
        if form.payload_type is not None:
            yield Playing(BareRtp(sender, form, form.payload_type, monotonic), target, monotonic)
            return
        is_wrapped = form.codec == TRANSPORT_STREAM
        protocol = protocols.MPEG_TS if is_wrapped else protocols.NAL_UNITS[form.codec]
        stream = Stream(sender, rtp_payload if is_wrapped else bytes)
        with _bytes(stream, protocol, target.limits) as opened:
            yield opened


@contextmanager
def _srt(target: Target, stop: Stop) -> Iterator[Contained]:
    found = target.destinations.addresses(target.host, target.port)
    there = [urls.at(target.url, address) for address in found] if target.destinations.pins else [target.url]
    with _bytes(Relay(there, stop, listen=target.listen), protocols.MPEG_TS, target.limits) as opened:
        yield opened


@contextmanager
def _http(target: Target, stop: Stop) -> Iterator[Opened]:
    """MJPEG, MP4, MPEG-TS, FLV or HLS: whatever the answer turns out to be."""
    download = Download(target, target.url, stop)
    try:
        protocol = protocol_of(download.type, download.peek(64))
    except SourceError:
        download.close()
        raise
    if protocol is protocols.HLS:
        download.close()
        with _playlist(target, stop) as opened:
            yield opened
        return
    if protocol is protocols.MULTIPART_JPEG:
        with pictures_of(download, target.limits) as pictures:
            yield pictures
        return
    with _bytes(_movie(download) if protocol is protocols.MP4 else download, protocol, target.limits) as opened:
        # With a length it is a recording; without, a camera that writes fragments for as long as it runs.
        if protocol is protocols.MP4 and download.seekable():
            opened = replace(opened, protocol=replace(protocol, bursts=True, stall=60.0), recorded=True)
        yield opened


def _movie(download: Download) -> Movie:
    try:
        return Movie(download)
    except SourceError:
        download.close()
        raise


@contextmanager
def _playlist(target: Target, stop: Stop) -> Iterator[Contained]:
    protocol, playlist = protocols.HLS, Playlist(target, stop)
    try:
        with av.open(target.url, format=protocol.format, options=protocol.options, io_open=playlist) as container:
            yield Contained(container, replace(protocol, stall=playlist.patience), allowance=playlist.allowance)
    except (av.FFmpegError, OSError) as failure:
        raise playlist.error or playlist.passed or failure from None
    finally:
        playlist.close()
    if playlist.error is not None:
        raise playlist.error


@contextmanager
def _file(target: Target, stop: Stop) -> Iterator[Contained]:
    path = Path(unquote(urlsplit(target.url).path))
    if path.is_dir():
        raise SourceError("not_found", "this is a folder, not a file")
    with av.open(str(path), mode="r", options=protocols.FILE.options) as container:
        yield Contained(container, protocols.FILE, recorded=True)


@contextmanager
def _bytes(body: Download | Movie | Relay | Stream, protocol: Protocol, limits: Limits) -> Iterator[Contained]:
    """A container of bytes that we fetch ourselves.

    Why there are no more is said here, and not by raising through FFmpeg: it reads on, and PyAV keeps one error only.
    """
    allowance = Allowance(limits)
    seekable = isinstance(body, Download | Movie) and body.seekable()
    reader = Seekable(body, allowance) if isinstance(body, Download | Movie) and seekable else Reader(body, allowance)
    try:
        with av.open(reader, "r", format=protocol.format, options=protocol.options, buffer_size=BUFFER) as container:
            yield Contained(container, protocol, ended_badly=lambda: reader.error is not None, allowance=allowance)
    except (av.FFmpegError, OSError) as failure:
        raise reader.error or failure from None
    finally:
        body.close()
    if reader.error is not None:
        raise reader.error


def _addresses(target: Target) -> Dialler:
    """The numeric addresses to connect to. Where the name stays in the URL, FFmpeg tries all of them by itself.

    Raises:
        SourceError: kind "dns" or "forbidden".
    """
    found = target.destinations.addresses(target.host, target.port)
    return Dialler(found if target.destinations.pins else found[:1])


def _connect(target: Target, addresses: Dialler, protocol: Protocol) -> InputContainer:
    """Open what FFmpeg connects to by itself.

    PyAV's own timeout covers the opening. For reads its callback takes the interpreter's lock at every poll (PyAV
    #1112), so it is left out where FFmpeg's does the same. On a listening socket that does nothing: a client that
    connects and says nothing, or a drone that loses power, would hold the port for ever.
    """

    def connect(address: str, left: float) -> InputContainer:
        url = urls.at(target.url, address) if target.destinations.pins else target.url
        timeout = (LISTEN_TIMEOUT + OPEN_TIMEOUT, STALL_TIMEOUT) if target.listen else (left, None)
        return av.open(url, format=protocol.format, options=protocol.options, timeout=timeout)

    return addresses.open(connect)


_TYPES: dict[str, Protocol] = {
    "multipart/x-mixed-replace": protocols.MULTIPART_JPEG,
    "multipart/mixed": protocols.MULTIPART_JPEG,
    "video/x-motion-jpeg": protocols.MULTIPART_JPEG,
    "video/x-mjpeg": protocols.MULTIPART_JPEG,
    "video/mjpeg": protocols.MULTIPART_JPEG,
    "application/vnd.apple.mpegurl": protocols.HLS,
    "application/x-mpegurl": protocols.HLS,
    "audio/mpegurl": protocols.HLS,
    "audio/x-mpegurl": protocols.HLS,
    "video/mp4": protocols.MP4,
    "video/quicktime": protocols.MP4,
    "video/mp2t": protocols.MPEG_TS,
    "video/x-flv": protocols.FLV,
}
"""By media type (RFC 2046, RFC 8216, IANA)."""


def protocol_of(media_type: str, start: bytes) -> Protocol:
    """What an HTTP answer is: by its media type, or, since many servers name a wrong one, by its first bytes.

    Raises:
        SourceError: kind "protocol"; it is no video.
    """
    for mark, protocol in (
        (start.startswith(b"#EXTM3U"), protocols.HLS),
        (start[4:8] in (b"ftyp", b"styp", b"moov"), protocols.MP4),
        (start.startswith(b"FLV"), protocols.FLV),
        (start.startswith(b"\x47"), protocols.MPEG_TS),
        (media_type in _TYPES, _TYPES.get(media_type)),
    ):
        if mark and protocol is not None:
            return protocol
    if media_type.startswith("image/"):
        raise SourceError("protocol", "the server sends one picture, not a video; ask the camera for its MJPEG stream")
    what = printable(media_type)
    raise SourceError("protocol", f"the server sends {what}; allowed are HLS, MJPEG, MP4, MPEG-TS and FLV")


_OPENERS: dict[str, Callable[[Target, Stop], AbstractContextManager[Opened]]] = {
    "rtmp": _rtmp,
    "udp": _udp,
    "srt": _srt,
    "http": _http,
    "https": _http,
    "file": _file,
}
