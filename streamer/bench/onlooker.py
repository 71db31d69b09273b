"""`python -m streamer.bench.onlooker URL SECONDS SETTLE [soonest]`: our page with one video, looked at by Chromium.

Prints `{"painted": [[number, at], …], "clock_error_ms": …}`: for each frame that was painted in SECONDS, which begin
SETTLE seconds after the first, the number drawn in the picture (null where it is not to be read) and monotonic seconds.
"""

import asyncio
import json
import sys
import time
from typing import Any

from streamer.bench.browser import Tab, chromium, tab
from streamer.bench.numbers import READ
from streamer.values.errors import SightlineError

FIRST_PICTURE = 60.0
"""Seconds until the video plays."""

WATCH = """
(() => {
  const video = document.querySelector("stream-viewer video:not(.clean)");
  const own = document.querySelector("stream-viewer canvas.clean:not([hidden])");
  if (!own && !(video?.videoWidth > 0)) return false;
  const read = %s;
  window.painted = [];
  const look = () => {
    const at = performance.now();
    if (own) {
      const height = Math.min(own.height, (own.width * 9) / 16);
      const width = (height * 16) / 9;
      painted.push([read(own, (own.width - width) / 2, (own.height - height) / 2, width, height), at]);
    } else painted.push([read(video, 0, 0, video.videoWidth, video.videoHeight), at]);
    next();
  };
  const next = () => (own ? requestAnimationFrame(look) : video.requestVideoFrameCallback(look));
  next();
  return true;
})()
"""
"""Of the camera's own video, which the page paints by itself, the screen is read each time it is drawn."""

SOONEST = "import('/web/watching.js').then(({ watching }) => watching.change({ exact: false })).then(() => true)"


async def look(url: str, seconds: float, settle: float, *, soonest: bool = False) -> dict[str, Any]:
    """Open the page, wait until it plays and has settled, and note every frame for some seconds.

    Args:
        url: of the page, and of the stream on it; 16 by 9.
        seconds: that are noted.
        settle: seconds before.
        soonest: whether the page is told not to wait for boxes, where it draws them.
    """
    program = chromium()
    if program is None:
        raise SightlineError("there is no Chromium")
    async with tab(program) as page:
        await page.ask("Page.navigate", url=url)
        await _playing(page)
        if soonest:
            await page.evaluate(SOONEST)
        await asyncio.sleep(settle)
        offset, error = await page.clock()
        await page.evaluate("painted.length = 0")
        await asyncio.sleep(seconds)
        painted = await page.evaluate("painted")
    return {"painted": [[number, at / 1000 + offset] for number, at in painted], "clock_error_ms": 1000 * error}


async def _playing(page: Tab) -> None:
    deadline = time.monotonic() + FIRST_PICTURE
    while not await page.evaluate(WATCH % READ):
        if time.monotonic() > deadline:
            raise SightlineError(f"no video played within {FIRST_PICTURE:g} s")
        await asyncio.sleep(0.1)


def main() -> None:
    """Look, and print what was seen."""
    url, seconds, settle = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(asyncio.run(look(url, seconds, settle, soonest="soonest" in sys.argv[4:]))))


if __name__ == "__main__":
    main()
