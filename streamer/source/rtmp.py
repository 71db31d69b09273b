"""RTMP, which FFmpeg speaks: a server that plays, or a camera that pushes."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import av
from av.container import InputContainer

from streamer.source import protocol as protocols
from streamer.source.container import Contained
from streamer.source.dialler import Dialler
from streamer.source.failure import OPEN_TIMEOUT
from streamer.source.protocol import LISTEN_TIMEOUT, STALL_TIMEOUT, Protocol
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.errors import SourceError


@contextmanager
def flow(target: Target) -> Iterator[Contained]:
    """Connect, or listen where the target says so, for as long as the block lasts. Blocks.

    Raises:
        SourceError, OSError, av.FFmpegError: why nothing comes.
    """
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
