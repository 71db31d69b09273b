"""What the service does with offers that cannot be taken: how fast it says so."""

import http.client
import statistics
import time
from pathlib import Path
from typing import Any

from streamer.bench.service import run_service
from streamer.tools.child import Say, await_until
from streamer.tools.processes import free_port, listens
from streamer.values.errors import SightlineError

ROUNDS = 20
STREAM = "camera"
HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na={direction}\r\na=rtcp-mux\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\na=rtpmap:96 {codec}/90000\r\n"
    "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
)


def bad_offers(direction: str) -> dict[str, bytes]:
    """Offers nobody can take, by what is wrong with each. The direction is the one that would be right."""
    video = VIDEO.format(direction=direction, codec="H264")
    candidates = "".join(f"a=candidate:{n} 1 udp 2122260223 192.0.2.1 {5000 + n} typ host\r\n" for n in range(129))
    return {
        "empty": b"",
        "no SDP": b"\xff\xfe\x00 not an offer",
        "no media": HEAD.encode(),
        "cut off": (HEAD + video[: len(video) // 2]).encode(),
        "no codec": (HEAD + VIDEO.format(direction=direction, codec="AV9")).encode(),
        "no ICE": (HEAD + "".join(line for line in video.splitlines(True) if "ice" not in line)).encode(),
        "no DTLS": (HEAD + "".join(line for line in video.splitlines(True) if "fingerprint" not in line)).encode(),
        "a broken fingerprint": (HEAD + video.replace("AB:AB", "XY:")).encode(),
        "a broken codec": (HEAD + video.replace("/90000", "/never")).encode(),
        "a broken candidate": (HEAD + video + "a=candidate:1 1 udp x 192.0.2.1 port typ host\r\n").encode(),
        "129 candidates": (HEAD + video + candidates).encode(),
        "150 media": (HEAD + video * 150).encode(),
        "long": (HEAD + video + "a=x:" + "y" * 70_000 + "\r\n").encode(),
    }


def measure_offers(state: Path, say: Say) -> dict[str, Any]:
    """Post each of them to a stream and to a name that may be published, in turn."""
    port = free_port()
    say("offers: malformed, too long, too many candidates")
    taken: list[float] = []
    url = f"rtsp://127.0.0.1:{free_port()}/{STREAM}"
    streams = {STREAM: {"url": url, "listen": True}}
    with run_service(state, port, streams, ingress={"names": ["phone"]}) as service:
        await_until(lambda: listens(port), "the service", [service], say)
        for path, direction in ((f"/whep/{STREAM}", "recvonly"), ("/whip/phone", "sendonly")):
            for what, body in bad_offers(direction).items():
                for _ in range(ROUNDS):
                    status, milliseconds = _post(port, path, body)
                    if not 400 <= status < 500:
                        raise SightlineError(f"an offer with {what!r} wrong was answered {status} at {path}")
                    taken.append(milliseconds)
    return {
        "answered": len(taken),
        "answered_ms_p50": round(statistics.median(taken), 1),
        "answered_ms_max": round(max(taken), 1),
    }


def _post(port: int, path: str, body: bytes) -> tuple[int, float]:
    """The status, and milliseconds until the answer was read; the connection included."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/sdp"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, 1000 * (time.monotonic() - started)
    finally:
        connection.close()
