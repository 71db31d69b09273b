"""streamer.http.detect: pictures that somebody sends, looked at by a real model server, or refused."""

import asyncio
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from streamer.http import detect
from streamer.http.detect import AT_ONCE, PLACES, SENT
from streamer.http.sent_pictures import MAX_BYTES, MOST
from streamer.inference.tiling import regions
from streamer.values.tiles import Region
from tests.http.guests import Door, run_door
from tests.peers.clip import draw_frame
from tests.peers.model_server import ModelServer
from tests.peers.until import until

SIZE = (320, 240)
ORIENTATION = 0x0112


@pytest.fixture
async def door(model_server: ModelServer) -> AsyncIterator[Door]:
    """Run a service whose model finds the number that is drawn into a picture."""
    async with run_door(access=None, serving=model_server.settings) as door:
        own = door.service.models[door.service.models.own]
        await until(lambda: own.up)
        yield door


def picture(number: int, kind: str = "jpeg", turned: int = 1) -> bytes:
    """A picture with a number drawn into it; `turned`: EXIF's Orientation, its pixels turned the other way."""
    image = Image.fromarray(draw_frame(number, *SIZE))
    exif = Image.Exif()
    if turned == 6:  # to be turned by 90 degrees clockwise
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[ORIENTATION] = turned
    to = io.BytesIO()
    image.save(to, kind, exif=exif)
    return to.getvalue()


async def sent(
    door: Door, body: object, kind: str | None = "image/jpeg", accept: str = "*/*", query: str = ""
) -> tuple[int, Any]:
    """How one request is answered: its status, and JSON or bytes."""
    headers = {"Accept": accept} | ({} if kind is None else {"Content-Type": kind})
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{door.url}/api/detect{query}", data=body, headers=headers) as response,
    ):
        is_picture = response.content_type == "image/jpeg"
        return response.status, await response.read() if is_picture else await response.json(content_type=None)


def numbers(answer: Mapping[str, Any]) -> list[int]:
    """The numbers that were found, a picture each."""
    lefts = [each["detections"][0]["box"][0] / each["width"] for each in answer["pictures"]]
    return [round(left * 128) for left in lefts]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("turned", [1, 6])
async def test_a_picture_is_looked_at_upright(door: Door, kind: str, turned: int) -> None:
    """JPEG, PNG and WebP are read, and turned as their EXIF says: boxes are in pixels of what one sees."""
    status, answer = await sent(door, picture(37, kind, turned), f"image/{kind}")
    assert (status, numbers(answer)) == (200, [37])
    [found] = answer["pictures"]
    assert (found["name"], found["width"], found["height"], found["orientation"]) == (None, *SIZE, turned)
    assert [each["label"] for each in found["detections"]] == ["insulator"]


async def test_several_come_in_a_form_and_are_answered_in_their_order(door: Door) -> None:
    """Each part with a file name is a picture; `min_score` is below the model's own where that is asked for."""
    form = aiohttp.FormData()
    form.add_field("note", "no picture")
    for number in (3, 50, 21):
        form.add_field("file", picture(number), filename=f"{number}.jpg", content_type="image/jpeg")
    status, answer = await sent(door, form, None, query="?min_score=0.2")
    assert (status, numbers(answer)) == (200, [3, 50, 21])
    assert [each["name"] for each in answer["pictures"]] == ["3.jpg", "50.jpg", "21.jpg"]
    assert [len(each["detections"]) for each in answer["pictures"]] == [2, 2, 2]


async def test_a_picture_comes_back_drawn_where_one_is_accepted(door: Door) -> None:
    """`Accept: image/jpeg` gives the picture with its boxes, at its own size; of several that is refused."""
    status, drawn = await sent(door, picture(5), accept="image/jpeg")
    assert status == 200
    found = np.asarray(Image.open(io.BytesIO(drawn)))
    assert found.shape == (*SIZE[::-1], 3)
    assert np.abs(found.astype(int) - draw_frame(5, *SIZE)).max() > 60
    form = aiohttp.FormData()
    for name in "ab":
        form.add_field("file", picture(1), filename=name, content_type="image/jpeg")
    status, answer = await sent(door, form, None, accept="image/jpeg")
    assert (status, "one picture" in answer["detail"]) == (406, True)


async def test_a_picture_is_looked_at_in_parts_where_that_is_asked_for(door: Door) -> None:
    """`tiles` has the model look at each part too, in one call with the whole; what seams cut has one box.

    In black the detector finds 0: a thing at the left edge of each picture that it looks at, and one that fills it.
    """
    to = io.BytesIO()
    Image.new("RGB", SIZE).save(to, "png")
    status, answer = await sent(door, to.getvalue(), "image/png", query="?tiles=2x2&min_score=0.2")
    assert status == 200
    found: dict[str, list[list[int]]] = {label: [] for label in ("insulator", "defect")}
    for each in answer["pictures"][0]["detections"]:
        found[each["label"]].append([round(edge) for edge in each["box"]])
    assert found["defect"] == [[0, 0, *SIZE]]
    parts = [Region(0, 0, *SIZE), *regions(SIZE, "2x2")]
    expected = [
        [part.left, part.top + part.height / 4, part.left + part.width / 2, part.top + 3 * part.height / 4]
        for part in parts
    ]
    np.testing.assert_allclose(sorted(found["insulator"]), sorted(expected), atol=1.5)
    async with aiohttp.ClientSession() as client, client.get(f"{door.url}/metrics") as response:
        metrics = await response.text()
    assert 'sightline_batch_size_sum{model="numbers"} 5.0' in metrics


async def test_several_in_parts_are_answered_each_by_itself(door: Door) -> None:
    """However many pictures of how many parts come, each has its answer, and no place in the line is wanting."""
    form = aiohttp.FormData()
    for number in range(MOST):
        form.add_field("file", picture(4 * number), filename=f"{number}.jpg", content_type="image/jpeg")
    plain, answer = await asyncio.gather(sent(door, picture(9)), sent(door, form, None, query="?tiles=3x2"))
    assert (plain[0], answer[0], len(answer[1]["pictures"])) == (200, 200, MOST)
    for number, each in enumerate(answer[1]["pictures"]):
        lefts = [found["box"][0] / each["width"] * 128 for found in each["detections"]]
        assert any(abs(left - 4 * number) < 1 for left in lefts), number


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels in some hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def slow() -> bytes:
    """A JPEG that goes through its picture a thousand times, seventy bytes each."""
    to = io.BytesIO()
    Image.new("L", (640, 480)).save(to, "jpeg", progressive=True)
    head, last = to.getvalue()[:-2], to.getvalue()[to.getvalue().rindex(b"\xff\xda") : -2]
    return head + 1000 * last + b"\xff\xd9"


def odd() -> bytes:
    """A JPEG whose EXIF has a text where its width belongs, which cannot be written anew once it is turned."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010E] = 6, "a picture"
    to = io.BytesIO()
    Image.new("L", (64, 48)).save(to, "jpeg", exif=exif)
    return to.getvalue().replace(b"\x01\x0e\0\2", b"\x01\0\0\2")


@pytest.mark.parametrize(
    ("body", "kind", "query", "status", "words"),
    [
        (b"", "image/jpeg", "", 415, "no picture"),
        (b"GIF89a" + bytes(100), "image/jpeg", "", 415, "no picture"),
        (picture(1)[:700], "image/jpeg", "", 422, "cannot be decoded"),
        (bomb(), "image/png", "", 413, "60000 x 60000"),
        (slow(), "image/jpeg", "", 422, "100 scans"),
        (odd(), "image/jpeg", "", 422, "cannot be decoded"),
        (picture(1), "image/gif", "", 415, "image/webp"),
        (b"{}", "application/json", "", 415, "image/jpeg"),
        (b"no form", "multipart/form-data; boundary=x", "", 400, "form"),
        (b"--x--", "multipart/form-data; boundary=x", "", 400, "no picture in the form"),
        (b"x", "multipart/form-data", "", 400, "form"),
        (picture(1), "image/jpeg", "?model=other", 404, "there are: "),
        (picture(1), "image/jpeg", "?min_score=2", 400, "min_score"),
        (io.BytesIO(bytes(MAX_BYTES + 1)), "image/jpeg", "", 413, "32 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_looked_at_is_refused_in_a_sentence(
    door: Door, body: object, kind: str, query: str, status: int, words: str
) -> None:
    """Whatever is no picture, too large, broken or for a model that is not there says which, and costs no other."""
    found, answer = await sent(door, body, kind, query=query)
    assert (found, words in answer["detail"]) == (status, True), answer
    assert (await sent(door, picture(9)))[0] == 200


async def test_a_form_is_bounded(door: Door) -> None:
    """Pictures beyond MOST are refused; one that is broken is named."""
    form = aiohttp.FormData()
    for number in range(MOST + 1):
        form.add_field("file", picture(number), filename=f"{number}.jpg", content_type="image/jpeg")
    status, answer = await sent(door, form, None)
    assert (status, str(MOST) in answer["detail"]) == (413, True)
    form = aiohttp.FormData()
    form.add_field("file", picture(1), filename="good.jpg", content_type="image/jpeg")
    form.add_field("file", b"nothing", filename="bad.jpg", content_type="image/jpeg")
    status, answer = await sent(door, form, None)
    assert (status, answer["detail"].startswith("bad.jpg: ")) == (415, True)


async def test_few_are_looked_at_at_a_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes beyond AT_ONCE waits for a place, not for ever, and then is told to come again."""
    places = door.application[PLACES]
    for _ in range(AT_ONCE):
        await places.acquire()
    waiting = asyncio.create_task(sent(door, picture(8)))
    await until(lambda: door.application[SENT].held > 0)
    places.release()
    status, answer = await waiting
    assert (status, numbers(answer)) == (200, [8])
    await places.acquire()
    monkeypatch.setattr(detect, "PATIENCE", 0.0)
    status, answer = await sent(door, picture(1))
    assert (status, "being looked at" in answer["detail"]) == (503, True)
    for _ in range(AT_ONCE):
        places.release()
    assert (await sent(door, picture(1)))[0] == 200
    assert door.application[SENT].held == 0


async def test_slow_senders_keep_nobody_waiting(door: Door) -> None:
    """More than AT_ONCE whose bodies do not come to their end take no place: others are answered meanwhile."""
    ends = [asyncio.Event() for _ in range(AT_ONCE + 1)]

    async def slowly(end: asyncio.Event) -> AsyncIterator[bytes]:
        yield picture(1)[:100]
        await end.wait()
        yield picture(1)[100:]

    senders = [asyncio.create_task(sent(door, slowly(end))) for end in ends]
    await until(lambda: door.application[SENT].held == 100 * len(ends))
    status, answer = await sent(door, picture(37))
    assert (status, numbers(answer)) == (200, [37])
    for end in ends:
        end.set()
    assert [status for status, _ in await asyncio.gather(*senders)] == [200] * len(ends)


async def test_where_too_much_is_held_who_sends_for_longest_gives_way(door: Door) -> None:
    """A newcomer takes the room of the one that began first and is not at its end, who is told to come again."""
    room, end = door.application[SENT], asyncio.Event()

    async def slowly(number: int) -> AsyncIterator[bytes]:
        yield picture(number).ljust(40_000, b"\0")
        await end.wait()

    room.limit = 100_000
    first = asyncio.create_task(sent(door, slowly(1)))
    await until(lambda: room.held == 40_000)
    second = asyncio.create_task(sent(door, slowly(2)))
    await until(lambda: room.held == 80_000)
    third = asyncio.create_task(sent(door, slowly(3)))
    status, answer = await first
    assert (status, "came slowly" in answer["detail"]) == (503, True)
    await until(lambda: room.held == 80_000)
    end.set()
    answers = [await second, await third]
    assert [(status, numbers(answer)) for status, answer in answers] == [(200, [2]), (200, [3])]
    assert room.held == 0


async def test_without_a_model_who_asks_is_told_to_come_again() -> None:
    """A model server that is away is 503 with why, and nothing of the picture is read."""
    async with run_door(access=None) as door:
        status, answer = await sent(door, json.dumps("x").encode())
        assert (status, "does not answer" in answer["detail"]) == (503, True)
