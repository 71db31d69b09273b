"""`python -m streamer.bench.viewers URL COUNT SECONDS`: WHEP viewers that receive everything and decode nothing.

Prints `{"frames_per_second": [...]}`, one figure a viewer, counted over the last SECONDS minus the time to connect.
"""

import asyncio
import json
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


async def watch(url: str, count: int, seconds: float) -> list[float]:
    """Frames a second of each viewer."""
    async with aiohttp.ClientSession() as client:
        peers = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(count)]
        sessions = [await connect(client, url, peer) for peer in peers]
        await asyncio.sleep(seconds)
        for session in sessions:
            async with client.delete(session):
                pass
        await asyncio.gather(*(peer.close() for peer in peers))
    times = [*arrivals.values(), *([] for _ in range(count - len(arrivals)))]
    return [(len(seen) - 1) / (seen[-1] - seen[0]) if len(seen) > 1 else 0.0 for seen in times]


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
    print(json.dumps({"frames_per_second": asyncio.run(watch(url, count, seconds))}))


if __name__ == "__main__":
    main()
