"""From a port of ours to what its sender turns out to play."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from streamer.source import protocol as protocols
from streamer.source.allowance import Allowance
from streamer.source.container import contained
from streamer.source.opened import Opened
from streamer.source.reader import Reader
from streamer.source.rtsp.playing import Playing
from streamer.source.rtsp.traits import Learn, forget
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.source.transport_stream import TransportStream
from streamer.source.udp.bare_rtp import BareRtp
from streamer.source.udp.form import TRANSPORT_STREAM, rtp_payload
from streamer.source.udp.port import Port
from streamer.source.udp.sender import Sender
from streamer.source.udp.stream import Stream
from streamer.values.clock import Clock, monotonic


@contextmanager
def hear(target: Target, stop: Stop, learn: Learn = forget, clock: Clock = monotonic) -> Iterator[Opened]:
    """Wait for a sender, and have what it sends for as long as the block lasts. Blocks; `stop` ends it.

    `learn` takes in the end what a sender of RTP has shown of its ways.

    Raises:
        SourceError, OSError, av.FFmpegError: nobody sends, or nothing that is played.
    """
    asked = parse_qs(urlsplit(target.url).query)  # FFmpeg's own word for it
    address = target.destinations.addresses(target.host, target.port)[0]
    port = Port(address, target.port, clock, *asked.get("localaddr", ())[:1])
    with closing(Sender(port, stop, clock)) as sender:
        form = sender.recognise()
        if form.payload_type is not None:
            playing = Playing(BareRtp(sender, form, form.payload_type, clock), target, clock)
            try:
                yield playing
            finally:
                learn(replace(playing.traits, strangers=sender.ignored))
            return
        is_wrapped = form.codec == TRANSPORT_STREAM
        protocol = protocols.MPEG_TS if is_wrapped else protocols.NAL_UNITS[form.codec]
        stream = Stream(sender, rtp_payload if is_wrapped else bytes)
        body = TransportStream(stream) if is_wrapped else stream
        with contained(Reader(body, Allowance(target.limits)), protocol) as opened:
            yield opened
