"""`python arriving.py HOW URL LISTEN PICTURES`: when a camera's pictures are handed on. Prints a line of JSON for each.

HOW is `units`, as they come to the decoder; `pictures`, decoded and at the pace of a recording, as they come to the
stream; or `published`, by WHIP at the port that URL names. The first and last print [monotonic seconds, the picture in
base64], and before them the decoder's extradata, which containers keep apart; `pictures` [monotonic seconds, the
picture's luma of SMALL in base64]. It is run by its path and imports nothing of the bench, so that it can measure the
sources of another checkout too.
"""

import asyncio
import base64
import itertools
import json
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import av

from streamer.source.kinds import open_target
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.errors import SourceError

PATIENCE = 15.0
"""Seconds in which the camera has to be there."""
SMALL = 96, 80
"""Width and height in which a picture's number can still be read."""

Seen = list[tuple[float, bytes]]


def main() -> None:
    """Read, and print it all at the end: printing takes time."""
    how, url, listen, pictures = sys.argv[1:]
    described, seen = HOW[how](Target(url, listen=listen == "True"), int(pictures))
    print(json.dumps(base64.b64encode(described).decode()))
    for at, data in seen:
        print(json.dumps([at, base64.b64encode(data).decode()]))


def _units(target: Target, pictures: int) -> tuple[bytes, Seen]:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with open_target(target, Stop()) as opened:
                described = bytes(opened.video(target.limits).context.extradata or b"")
                whole = (unit.packet for unit in opened.units() if unit.packet is not None and unit.packet.size)
                return described, [(time.monotonic(), bytes(packet)) for packet in itertools.islice(whole, pictures)]
        except (SourceError, OSError, av.FFmpegError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _pictures(target: Target, pictures: int) -> tuple[bytes, Seen]:
    from streamer.source.source import Source
    from streamer.values.frame import Frame

    seen: Seen = []

    async def read() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def take(frame: Frame) -> None:
            at = time.monotonic()
            if len(seen) < pictures:
                small = frame.picture.reformat(*SMALL, format="gray").to_ndarray()
                seen.append((at, small.tobytes()))
            else:
                loop.call_soon_threadsafe(done.set)

        source = Source("camera", target, clock=time.monotonic, redact=str)
        reading = asyncio.create_task(source.run(take))
        await asyncio.wait_for(done.wait(), 4 * PATIENCE)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    asyncio.run(read())
    return b"", seen


def _published(target: Target, pictures: int) -> tuple[bytes, Seen]:
    from aiohttp import web

    from streamer.values.coded import CodedPicture
    from streamer.webrtc.publisher import Publisher
    from streamer.webrtc.sdp import read_offer

    seen: Seen = []

    async def serve() -> None:
        done = asyncio.Event()
        publishers: list[tuple[Publisher, asyncio.Task[None]]] = []

        def take(picture: CodedPicture) -> None:
            seen.append((time.monotonic(), picture.data))
            if len(seen) == pictures:
                done.set()

        async def answer(request: web.Request) -> web.Response:
            one = Publisher("cam", lambda _: None, clock=time.monotonic, max_pixels=1 << 24, max_fps=240)
            one.on_coded = take
            said = await one.answer(read_offer(await request.text()), request.remote or "")
            publishers.append((one, asyncio.create_task(one.run(lambda _: None))))
            headers = {"Location": request.path}
            return web.Response(status=201, text=said, content_type="application/sdp", headers=headers)

        application = web.Application()
        application.router.add_post("/whip/cam", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", urlsplit(target.url).port or 0).start()
        try:
            await asyncio.wait_for(done.wait(), 4 * PATIENCE)
        finally:
            for one, running in publishers:
                running.cancel()
                await one.close()
            await runner.cleanup()

    asyncio.run(serve())
    return b"", seen[:pictures]


HOW: dict[str, Callable[[Target, int], tuple[bytes, Seen]]] = {
    "units": _units,
    "pictures": _pictures,
    "published": _published,
}

if __name__ == "__main__":
    main()
