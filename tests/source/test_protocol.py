"""streamer.source.protocol: FFmpeg knows every option it is given."""

import pytest

from streamer.source import protocol as protocols
from streamer.source.protocol import Protocol
from tests.peers.ffmpeg_options import format_options, protocol_options

EVERY = {name: value for name, value in vars(protocols).items() if isinstance(value, Protocol)}
BELOW = {"RTMP": "rtmp", "RTMP_LISTEN": "rtmp"}
"""Kinds whose options are partly those of the protocol below the demuxer."""


@pytest.mark.parametrize("kind", EVERY)
def test_ffmpeg_knows_every_option(kind: str) -> None:
    """No option is one FFmpeg would silently ignore, as it does `stimeout`."""
    protocol = EVERY[kind]
    known = format_options(protocol.format or "mov") | (protocol_options(BELOW[kind]) if kind in BELOW else set())
    assert protocol.options.keys() <= known
    assert "stimeout" not in known


def test_no_kind_may_open_what_it_does_not_need() -> None:
    """Every kind has a list of protocols, none of them is another kind's, and RTSP's follows no redirect."""
    for kind, protocol in EVERY.items():
        allowed = set(protocol.options["protocol_whitelist"].split(","))
        assert allowed
        assert ("file" in allowed) == (kind == "FILE")
        assert allowed.isdisjoint({"rtsp", "rtsps", "concat", "subfile", "pipe", "crypto", "data"})
