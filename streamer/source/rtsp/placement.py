"""How a track's packets come: the Transport field (RFC 2326 section 12.39), from us and from cameras. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from streamer.source.target import Transport
from streamer.values.errors import SourceError

CHANNELS = (0, 1)
"""Of RTP and RTCP, as they are asked for over TCP."""

Pair = tuple[int, int]
"""RTP's, and RTCP's."""


@dataclass(frozen=True)
class Placement:
    """Where to look for packets."""

    transport: Transport
    channels: Pair = CHANNELS
    """Over TCP."""
    server_ports: Pair | None = None
    """Over UDP: where the camera sends from; None: it does not say."""


def asked(client_ports: Pair | None, channels: Pair = CHANNELS) -> str:
    """What is asked for: datagrams to these ports, or TCP on these channels."""
    if client_ports is None:
        return f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}"
    return f"RTP/AVP;unicast;client_port={client_ports[0]}-{client_ports[1]}"


def answered(value: str | None, transport: Transport, asked_for: Pair = CHANNELS) -> Placement:
    """What a camera makes of it. Where it says nothing that can be understood, it is taken to do what was asked for.

    Args:
        value: of its Transport field.
        transport: that was asked for.
        asked_for: the channels, over TCP.

    Raises:
        SourceError: kind "unsupported"; it would send to a group, or datagrams that nobody asked for.
    """
    words = [word.strip().lower() for word in (value or "").split(",")[0].split(";")]
    channels, ports = _pair(words, "interleaved", 255), _pair(words, "server_port", 65535)
    if "multicast" in words:
        raise SourceError("unsupported", "the camera sends to a multicast group, which is not joined")
    if channels is not None or words[0].endswith("/tcp"):
        return Placement("tcp", channels or asked_for)
    if transport == "tcp" and (ports is not None or words[0].endswith("/udp")):
        raise SourceError("unsupported", "the camera would send datagrams, though TCP was asked for")
    return Placement(transport, asked_for, server_ports=ports)


def beside(video: Placement) -> Pair:
    """The channels that are asked for for sound: those behind the video's, or before them."""
    last = max(video.channels)
    return (last + 1, last + 2) if last <= 253 else CHANNELS


@dataclass(frozen=True)
class Wish:
    """One way in which a camera that pushes would send a track."""

    transport: Transport
    pair: Pair | None
    """Over TCP the channels, over UDP the ports it sends from; None: it does not say."""


def wished(value: str | None) -> Iterator[Wish]:
    """Those of a camera's ways that are taken here, in its order: RTP that is not encrypted, to this machine alone."""
    for way in (value or "").split(","):
        words = [word.strip().lower() for word in way.split(";")]
        found = re.fullmatch(r"rtp/avpf?(/tcp|/udp)?", words[0])
        if found is None or "multicast" in words:
            continue
        channels = _pair(words, "interleaved", 255)
        if found[1] == "/tcp" or channels is not None:
            yield Wish("tcp", channels)
        else:
            yield Wish("udp", _pair(words, "client_port", 65535))


def granted(transport: Transport, theirs: Pair | None, ours: Pair) -> str:
    """What is answered to a camera that pushes.

    Args:
        transport: that was chosen.
        theirs: the ports it sends from; None: it does not say.
        ours: the channels, or the ports here.
    """
    if transport == "tcp":
        return f"RTP/AVP/TCP;unicast;interleaved={ours[0]}-{ours[1]};mode=record"
    there = "" if theirs is None else f"client_port={theirs[0]}-{theirs[1]};"
    return f"RTP/AVP/UDP;unicast;{there}server_port={ours[0]}-{ours[1]};mode=record"


def _pair(words: list[str], name: str, most: int) -> Pair | None:
    for word in words:
        found = re.fullmatch(rf"{name}\s*=\s*(\d{{1,5}})(?:\s*-\s*(\d{{1,5}}))?", word, re.ASCII)
        if found:
            first = int(found[1])
            second = int(found[2]) if found[2] else first + 1
            return (first, second) if max(first, second) <= most else None
    return None
