"""Print the pictures of a stream as its camera sends them, and what is in each. Needs aiohttp alone.

python watch.py http://localhost:8000 front [token]
"""

import asyncio
import json
import struct
import sys
from collections.abc import Iterator

import aiohttp

HEAD = struct.Struct("<BBHIdd")
"""Kind, flags, nothing, opening, time in microseconds, the service's seconds at which it came; the picture follows."""
PICTURE, KEY = 1, 1


def said_of(message: aiohttp.WSMessage) -> Iterator[str]:
    """A line for whoever reads along."""
    if message.type is aiohttp.WSMsgType.BINARY and message.data[0] == PICTURE:
        _, flags, _, opening, time, _ = HEAD.unpack_from(message.data)
        access_unit = message.data[HEAD.size :]  # H.264 in Annex B, for any decoder
        key = "key picture" if flags & KEY else "picture"
        yield f"{opening}/{time / 1e6:.3f} s: {key} of {len(access_unit)} bytes"
    elif message.type is aiohttp.WSMsgType.TEXT:
        told = json.loads(message.data)
        if told["type"] == "boxes" and told["exact"]:  # the others are where the tracker expects things to be
            yield f"{told['opening']}/{told['time'] / 1e6:.3f} s: {len(told['boxes'])} found"
            for tracker_id, label, _, score, *edges in told["boxes"]:
                yield f"    {label} #{tracker_id}, {score:.0%}, at {', '.join(f'{edge:.3f}' for edge in edges)}"
        elif told["type"] in ("hello", "form", "group", "gap"):
            yield f"{told.pop('type')}: {told}"


async def watch(url: str, stream: str, token: str | None) -> None:
    """Print until the service ends it."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.ws_connect(f"{url}/api/streams/{stream}/video", max_msg_size=0) as messages,
    ):
        async for message in messages:
            for line in said_of(message):
                print(line, flush=True)
        print(f"ended with {messages.close_code}")


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None))
