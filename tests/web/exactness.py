"""What a page shows of a camera's own video, held against what the model said of each picture: in any browser."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp

from tests.peers.clip import INDEX_BITS
from tests.peers.index_detector import NUMBERS
from tests.peers.service import Service

Painted = tuple[float, float, bool]
"""A picture's time, when it was painted in milliseconds of the page, and whether with its own boxes."""
Seen = tuple[float, int, float]
"""A moment in milliseconds of the page, the number in the picture, and where its box begins, a part of the width."""

READ = """
(aspect) => {
  const copy = document.createElement("canvas");
  const context = copy.getContext("2d", { willReadFrequently: true });
  const { player } = document.querySelector("stream-viewer");
  [window.seen, window.painted] = [[], []];
  player.onpainted = (time, came, at, exact) => painted.push([time, at, exact]);
  const read = (picture, when) => {
    const height = Math.min(picture.height, picture.width / aspect);
    const width = height * aspect;
    const [left, top] = [(picture.width - width) / 2, (picture.height - height) / 2];
    [copy.width, copy.height] = [Math.round(width), 2];
    context.drawImage(picture, left, top + height / 16, width, 1, 0, 0, copy.width, 1);
    context.drawImage(picture, left, top + height * 0.6, width, 1, 0, 1, copy.width, 1);
    const { data } = context.getImageData(0, 0, copy.width, 2);
    let number = 0;
    for (let bit = 0; bit < BITS; bit++)
      number = number * 2 + (data[Math.floor((2 * bit + 1) * copy.width / (2 * BITS)) * 4] > 128 ? 1 : 0);
    let edge = 0;
    while (edge < copy.width && data[(copy.width + edge) * 4 + 2] - data[(copy.width + edge) * 4] <= 80) edge++;
    seen.push([when, number, edge / copy.width]);
  };
  const look = LOOK;
  look();
}
""".replace("BITS", str(INDEX_BITS))
LOOK = READ.replace(
    "LOOK",
    """() => {
    requestAnimationFrame(look);
    read(document.querySelector("canvas.clean"), performance.now());
  }""",
)
"""Notes what is on the screen, of a picture of that aspect: its number, and where the left edge of its box is."""
SAVE = READ.replace(
    "LOOK",
    """async () => {
    const when = performance.now();
    read(await createImageBitmap(await player.still()), when);
    look();
  }""",
)
"""The same of what is saved, one after the other, where pages cannot read what a worker paints."""
NEAR_MS = 300
"""By how much the times of what was painted and of what was seen may differ: the numbers are all others by then."""
IS_EXACT = "([, , exact]) => exact"
"""Whether one of `painted` is."""


@asynccontextmanager
async def hear_answers(service: Service, stream: str) -> AsyncIterator[dict[float, int]]:
    """The number that the model found in each picture, by the picture's time, as another viewer is told."""
    answers: dict[float, int] = {}

    async def hear(way: aiohttp.ClientWebSocketResponse) -> None:
        async for message in way:
            said = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {}
            if said.get("exact") and said["boxes"]:
                answers[said["time"]] = round(said["boxes"][0][4] * 2 * NUMBERS)

    url = f"{service.url}/api/streams/{stream}/video"
    async with aiohttp.ClientSession() as client, client.ws_connect(url, max_msg_size=0) as way:
        hearing = asyncio.create_task(hear(way))
        try:
            yield answers
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


def compare(painted: Sequence[Painted], seen: Sequence[Seen], answers: dict[float, int]) -> tuple[int, int]:
    """How many pictures were found on the screen that are said to have their own boxes, and how many of them had not.

    A picture is looked for by the number in it, while it may have been there.
    """
    compared = wrong = 0
    for time, at, exact in painted:
        edges = [edge for when, number, edge in seen if abs(when - at) < NEAR_MS and number == answers.get(time)]
        if exact and edges:
            compared += 1
            wrong += all(abs(edge * 2 * NUMBERS - answers[time]) > 1 for edge in edges)
    return compared, wrong
