"""An archive that a service finds when it starts: events of one day long enough ago to stand still, with pictures."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from streamer.archive import event_table
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.sqlite import Sqlite
from streamer.values.event import Box, Event, Mark, Picture
from streamer.values.uuid7 import uuid7

ZONE = ZoneInfo("Asia/Tokyo")
"""Where the viewer is; no test machine's own zone, it is hoped."""
SIZE = (640, 360)
CLASSES = {"insulator": 1, "defect": 2, "bird": 3}
STREAMS = ("gate", "line-1", "line-2")


def yesterday() -> datetime:
    """The first moment of the viewer's yesterday: it has passed, and retention keeps it."""
    return (datetime.now(ZONE) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def some_events(count: int, begin: datetime, *, seconds: float = 20 * 3600, seed: int = 1) -> list[Event]:
    """As many, at even distances from that moment on, the oldest first."""
    chance = random.Random(seed)
    return [_event(begin.timestamp() + seconds * number / count, number, chance) for number in range(count)]


def _event(at: float, number: int, chance: random.Random) -> Event:
    label = chance.choices(list(CLASSES), (6, 1, 3))[0]
    x, y = chance.randrange(20, SIZE[0] - 160), chance.randrange(20, SIZE[1] - 120)
    box: Box = (x, y, x + chance.randrange(40, 140), y + chance.randrange(40, 100))
    stays = chance.choice((2.0, 9.0, 70.0, 600.0))
    in_yard = number % 4 == 0
    return Event(
        id=uuid7(at),
        stream=STREAMS[number % len(STREAMS)],
        label=label,
        class_id=CLASSES[label],
        tracker_id=number + 1,
        model="insulators",
        version=3,
        began_at=at,
        last_at=at + stays,
        ended_at=at + stays + 2,
        began_pts=float(number),
        last_pts=number + stays,
        score=chance.uniform(0.55, 0.99),
        box=box,
        width=SIZE[0],
        height=SIZE[1],
        zones=("yard",) if in_yard else (),
        marks=(Mark("enter", "yard", at + 1), Mark("cross", "fence", at + 2, "forward")) if in_yard else (),
    )


def a_picture_of(event: Event) -> Picture:
    """A sky, a mast, and the thing where its box is."""
    width, height = SIZE
    hue = int(event.id[:8], 16) % 90 + 60
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:] = np.linspace((190, 160, 120), (hue, 90, 70), height)[:, np.newaxis]
    left, top, right, bottom = map(int, event.box)
    middle = (left + right) // 2
    cv2.line(pixels, (middle, 0), (middle - 60, height), (60, 60, 64), 6)
    cv2.ellipse(
        pixels, (middle, (top + bottom) // 2), ((right - left) // 2, (bottom - top) // 2), 0, 0, 360, (70, 96, 120), -1
    )
    around = pixels[max(0, top - 40) : bottom + 40, max(0, left - 60) : right + 60]
    return Picture(_jpeg(pixels), _jpeg(cv2.resize(around, (192, 108))))


def _jpeg(pixels: "np.typing.NDArray[np.uint8] | cv2.typing.MatLike") -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 70])[1])


def keep(folder: Path, events: Sequence[Event], *, pictured: int = 0) -> None:
    """Put them into the archive of that folder, the last ones with pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    database, pictures = Sqlite(folder / "sightline.db"), Pictures(folder / "pictures")
    try:
        migrate(database)
        shown = {event.id: a_picture_of(event) for event in events[len(events) - pictured :]}
        for event in events[len(events) - pictured :]:
            pictures.write(event, shown[event.id])
        with database.writing() as cursor:
            event_table.put(cursor, [(event, shown.get(event.id)) for event in events])
    finally:
        database.close()
