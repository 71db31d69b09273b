"""streamer.config.address: gRPC's forms of an address, and one clear line for what is none."""

from typing import Any

import grpc.aio
import pytest

from streamer.config import address
from streamer.inference.channel import open_channel
from streamer.values.errors import ConfigError

GOOD = [
    "127.0.0.1:5000",
    "serving:5000",
    "tf_serving.example.org:5000",
    "[::1]:5000",
    "dns:serving:5000",
    "dns:///serving:5000",
    "dns:///serving.vision.svc.cluster.local:5000",
    "dns://127.0.0.1:53/serving:5000",
    "ipv4:127.0.0.1:5000",
    "ipv4:127.0.0.1:5000,127.0.0.2:5000,127.0.0.1:5001",
    "ipv6:[::1]:5000,[::1]:5001",
    "unix:serving.sock",
    "unix:///run/serving.sock",
    "unix-abstract:serving",
]


@pytest.mark.parametrize("text", GOOD)
def test_grpcs_forms_are_taken(text: str) -> None:
    """An address of one of gRPC's forms is taken as it is."""
    assert address.check(text) == text


@pytest.mark.parametrize("text", GOOD)
async def test_what_is_taken_opens_a_channel(text: str) -> None:
    """No address that is taken is one gRPC finds malformed: who is there, if anybody, is another matter."""
    channel = open_channel(text)
    call: Any = channel.unary_unary("/nobody/Asks")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(b"", timeout=0.1)
    assert "not valid" not in (refused.value.details() or "")
    nobody = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    assert refused.value.code() in (*nobody, grpc.StatusCode.UNIMPLEMENTED)  # the last: a demo runs on this machine
    await channel.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a gRPC address; allowed are host:port, dns:///host:port"),
        ("serving", "is not a gRPC address"),
        ("http://serving:5000", "is not a gRPC address"),
        ("serving:0", "is not a gRPC address"),
        ("serving:65536", "is not a gRPC address"),
        ("serving:5000/", "is not a gRPC address"),
        ("[::g]:5000", "is not a gRPC address"),
        ("[1.2]:5000", "is not a gRPC address"),
        ("10.0.0.7:5000,10.0.0.8:5000", "several servers are written ipv4:"),
        ("dns:///serving", "is not of the form dns:///host:port"),
        ("dns:///", "is not of the form dns:///host:port"),
        ("dns:///serving:65536", "is not of the form dns:///host:port"),
        ("dns:///a:5000,b:5000", "is not of the form dns:///host:port"),
        ("dns://serving:5000", "names a name server and nothing to ask it for"),
        ("ipv4:", "'' is not of the form 1.2.3.4:5000"),
        ("ipv4:10.0.0.7:5000,", "'' is not of the form 1.2.3.4:5000"),
        ("ipv4:10.0.0.7", "'10.0.0.7' is not of the form 1.2.3.4:5000"),
        ("ipv4:10.0.0.7:5000, 10.0.0.8:5000", "' 10.0.0.8:5000' is not of the form"),
        ("ipv4:10.0.0.7:5000,10.0.0.300:5000", "'10.0.0.300:5000' is not of the form"),
        ("ipv4:10.0.0.7:5000,10.0.0.8:99999", "'10.0.0.8:99999' is not of the form"),
        ("ipv4:10.0.0.7:5000,serving:5000", "'serving:5000' is not of the form .*; a name is written dns:///name:port"),
        ("ipv4:10.0.0.7:5000,10.0.0.7:5000", "'10.0.0.7:5000' stands twice"),
        ("ipv6:[::1]:5000,::1:5001", r"'::1:5001' is not of the form \[::1\]:5000"),
        ("unix:", "names no path"),
    ],
)
def test_what_is_none_is_one_line(text: str, says: str) -> None:
    """An address that is none is refused in one line that quotes it, names the wrong part and says what is allowed."""
    with pytest.raises(ConfigError, match=says) as refused:
        address.check(text)
    assert str(refused.value).startswith(repr(text))
    assert "\n" not in str(refused.value)
