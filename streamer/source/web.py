"""A camera on the web: MJPEG, MP4, MPEG-TS, FLV or HLS, whatever its answer turns out to be."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import av

from streamer.source import protocol as protocols
from streamer.source.allowance import Allowance
from streamer.source.container import Contained, contained
from streamer.source.download import Download
from streamer.source.media_type import protocol_of
from streamer.source.motion_jpeg import MotionJpeg
from streamer.source.movie import Movie
from streamer.source.opened import Opened
from streamer.source.playlist import Playlist
from streamer.source.protocol import Protocol
from streamer.source.reader import Reader, Seekable
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target
from streamer.source.transport_stream import TransportStream


@contextmanager
def fetch(target: Target, stop: Stop) -> Iterator[Opened]:
    """Ask a server for a video, and have it for as long as the block lasts. Blocks; `stop` ends it.

    Raises:
        SourceError, OSError, av.FFmpegError: why there is none.
    """
    with closing(Download(target, target.url, stop)) as download:
        protocol = protocol_of(download.type, download.peek(64))
        if protocol is protocols.HLS:
            download.close()  # before the playlist's own are begun: a camera may serve no two at a time
            with _playlist(target, stop) as opened:
                yield opened
        elif protocol is protocols.MULTIPART_JPEG:
            yield MotionJpeg(download, target.limits)
        else:
            with _container(download, protocol, target.limits) as opened:
                yield opened


@contextmanager
def _container(download: Download, protocol: Protocol, limits: Limits) -> Iterator[Contained]:
    is_movie, is_seekable = protocol is protocols.MP4, download.seekable()
    body, allowance = Movie(download) if is_movie else download, Allowance(limits)
    if is_seekable:
        reader: Reader = Seekable(body, allowance)
    else:
        reader = Reader(TransportStream(body) if protocol is protocols.MPEG_TS else body, allowance)
    with contained(reader, protocol) as opened:
        # With a length it is a recording; without, a camera that writes fragments for as long as it runs.
        if is_movie and is_seekable:
            opened = replace(opened, protocol=replace(protocol, bursts=True, stall=60.0), recorded=True)
        yield opened


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
