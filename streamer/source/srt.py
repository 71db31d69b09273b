"""SRT, which comes by way of a relay as MPEG-TS."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from streamer.source import protocol as protocols
from streamer.source.allowance import Allowance
from streamer.source.container import Contained, contained
from streamer.source.reader import Reader
from streamer.source.relay import Relay
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.source.transport_stream import TransportStream
from streamer.values import url as urls


@contextmanager
def relayed(target: Target, stop: Stop) -> Iterator[Contained]:
    """Have the system's ffmpeg call, or listen, for as long as the block lasts. Blocks; `stop` ends it.

    Raises:
        SourceError, OSError, av.FFmpegError: why nothing comes.
    """
    found = target.destinations.addresses(target.host, target.port)
    there = [urls.at(target.url, address) for address in found] if target.destinations.pins else [target.url]
    with (
        closing(Relay(there, stop, listen=target.listen, sound=target.sound)) as relay,
        contained(Reader(TransportStream(relay), Allowance(target.limits)), protocols.MPEG_TS) as opened,
    ):
        yield opened
