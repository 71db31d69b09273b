"""`python -m streamer.bench.viewers URL COUNT SECONDS`: WHEP viewers that receive everything and decode nothing.

Prints `{"frames_per_second": [...], "arrivals": [[...]]}`: for each viewer one figure, counted over the last SECONDS
minus the time to connect, and when each frame came, in monotonic seconds. SIGTERM ends the watching earlier.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from typing import Any

import aiohttp
import aiortc.rtcrtpreceiver
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from yarl import URL


class CountingDecoder:
    """Stands in for aiortc's decoder: a viewer's own decoding is not what is measured."""

    def decode(self, encoded_frame: Any) -> list[Any]:
        """Count one whole frame; gives none."""
        arrivals.setdefault(id(self), []).append(time.monotonic())
        return []


arrivals: dict[int, list[float]] = {}


async def watch(url: str, count: int, seconds: float) -> list[list[float]]:
    """When the frames of each viewer came, in monotonic seconds."""
    enough = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, enough.set)
    async with aiohttp.ClientSession() as client:
        peers = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(count)]
        sessions = [await connect(client, url, peer) for peer in peers]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await enough.wait()
        for session in sessions:
            async with client.delete(session):
                pass
        await asyncio.gather(*(peer.close() for peer in peers))
    return [*arrivals.values(), *([] for _ in range(count - len(arrivals)))]


def rate(seen: list[float]) -> float:
    """Frames a second."""
    return (len(seen) - 1) / (seen[-1] - seen[0]) if len(seen) > 1 else 0.0


async def connect(client: aiohttp.ClientSession, url: str, peer: RTCPeerConnection) -> str:
    """Join as one viewer; returns the session's URL."""
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Content-Type": "application/sdp"}
    async with client.post(url, data=peer.localDescription.sdp, headers=headers) as response:
        response.raise_for_status()
        session = response.url.join(URL(response.headers["Location"]))
        await peer.setRemoteDescription(RTCSessionDescription(await response.text(), "answer"))
    return str(session)


def main() -> None:
    """Watch, and print what came."""
    url, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    # aiortc has no way to ask for packets instead of pictures.
    setattr(aiortc.rtcrtpreceiver, "get_decoder", lambda codec: CountingDecoder())  # noqa: B010
    times = asyncio.run(watch(url, count, seconds))
    print(json.dumps({"frames_per_second": [rate(seen) for seen in times], "arrivals": times}))


if __name__ == "__main__":
    main()
