"""streamer.http.published_app: what programs of the published web application send, and find in the answer."""

import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from streamer.http.detect import SENT
from streamer.http.published_app import MAX_JSON, STEP
from tests.http.guests import Door, run_door
from tests.http.test_detect import picture
from tests.peers.clip import draw_frame
from tests.peers.model_server import ModelServer
from tests.peers.until import until

JSON = "application/json"
FOUND = [{"name": "insulator", "conf": "0.9", "bbox": [50, 60, 210, 180]}]
"""In picture 20, of 320 x 240."""


@pytest.fixture
async def door(model_server: ModelServer) -> AsyncIterator[Door]:
    """Run a service whose model finds the number that is drawn into a picture."""
    async with run_door(access=None, serving=model_server.settings) as door:
        own = door.service.models[door.service.models.own]
        await until(lambda: own.up)
        yield door


async def sent(door: Door, path: str, body: str | bytes, kind: str) -> tuple[int, Any]:
    """How one request is answered."""
    data = io.BytesIO(body.encode() if isinstance(body, str) else body)
    async with (
        aiohttp.ClientSession() as client,
        client.post(door.url + path, data=data, headers={"Content-Type": kind}) as response,
    ):
        return response.status, await response.json(content_type=None)


def rounded(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of scores, which are texts, what can be told apart."""
    return [each | {"conf": str(round(float(each["conf"]), 3))} for each in results]


def restored(image: Any) -> NDArray[np.uint8]:
    """What jsonpickle makes of the picture, by its own rules for these keys; anything else is an error."""
    function, arguments = image["py/reduce"]
    encoded, kind = arguments["py/tuple"]
    assert function == {"py/function": "numpy.frombuffer"}
    return np.frombuffer(base64.b64decode(encoded["py/b64"], validate=True), kind)


@pytest.mark.parametrize("before", ["data:image/jpeg;base64,", ""])
@pytest.mark.parametrize("lined", [False, True])
async def test_a_picture_comes_in_base64(door: Door, before: str, lined: bool) -> None:
    """`/api/` takes JSON as the application's own page sends it, in one line or several, and answers its words."""
    encode = base64.encodebytes if lined else base64.b64encode
    body = json.dumps({"image": before + encode(picture(20)).decode(), "other": 1})
    status, answer = await sent(door, "/api/", body, JSON)
    assert status == 200
    assert rounded(answer["results"]) == FOUND
    assert answer.keys() == {"results"}
    assert door.application[SENT].held == 0


async def test_a_large_picture_in_base64_is_whole(door: Door) -> None:
    """One of more than a part of it is put together as it was."""
    pixels = draw_frame(20, 1280, 960)
    pixels[480:] = np.random.default_rng(1).integers(0, 255, (480, 1280, 3), np.uint8)  # what no PNG makes small
    to = io.BytesIO()
    Image.fromarray(pixels).save(to, "png")
    encoded = base64.b64encode(to.getvalue()).decode()
    assert len(encoded) > STEP
    status, answer = await sent(door, "/api/", json.dumps({"image": encoded}), JSON)
    assert (status, [each["bbox"] for each in answer["results"]]) == (200, [[200, 240, 840, 720]])


async def test_a_picture_comes_as_it_is(door: Door) -> None:
    """`/api/json` answers what `/api/` does, with a message; what the score is asked for below its own 0.5, too."""
    status, answer = await sent(door, "/api/json", picture(20, turned=6), "image/jpeg")
    assert (status, answer["message"], answer.keys()) == (200, "image received", {"message", "annotation"})
    assert rounded(answer["annotation"]["results"]) == FOUND
    status, answer = await sent(door, "/api/json?min_score=0.1", picture(20), "image/jpeg")
    assert [each["name"] for each in answer["annotation"]["results"]] == ["insulator", "defect"]


async def test_a_picture_comes_back_drawn(door: Door) -> None:
    """`/api/img` answers bytes of a JPEG that jsonpickle restores as an array; its colours are in their order."""
    red = Image.new("RGB", (320, 240), (220, 20, 40))
    to = io.BytesIO()
    red.save(to, "jpeg", quality=95)
    status, answer = await sent(door, "/api/img", to.getvalue(), "image/jpeg")
    assert (status, answer["message"], answer.keys()) == (200, "image received", {"message", "image"})
    drawn = np.asarray(Image.open(io.BytesIO(restored(answer["image"]).tobytes())))
    assert drawn.shape == (240, 320, 3)
    assert np.abs(drawn[120, 250].astype(int) - (220, 20, 40)).max() < 12
    assert np.abs(drawn.astype(int) - (220, 20, 40)).max() > 100


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "words"),
    [
        ("/api/", b"", JSON, 400, "not JSON"),
        ("/api/", b"[]", JSON, 400, "mapping"),
        ("/api/", b"[" * 100_000, JSON, 400, "not JSON"),
        ("/api/", b"{}", JSON, 422, "image"),
        ("/api/", b'{"image": 1}', JSON, 422, "image"),
        ("/api/", '{"image": "é"}'.encode(), JSON, 422, "base64"),
        ("/api/", b'{"image": "A"}', JSON, 422, "base64"),
        ("/api/", b'{"image": "aGVsbG8="}', JSON, 415, "no picture"),
        ("/api/", picture(1), "image/jpeg", 415, JSON),
        ("/api/", bytes(MAX_JSON + 1), JSON, 413, "16 MiB"),
        ("/api/img", b"{}", JSON, 415, "image/jpeg"),
        ("/api/json", b"--x--", "multipart/form-data; boundary=x", 415, "image/jpeg"),
        ("/api/json", picture(1)[:700], "image/jpeg", 422, "cannot be decoded"),
        ("/api/json?model=other", picture(1), "image/jpeg", 404, "there are: "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_no_picture_is_refused_in_a_sentence(
    door: Door, path: str, body: bytes, kind: str, status: int, words: str
) -> None:
    """As of `/api/detect`: what is wrong, by its status, and nothing of it stays held."""
    found, answer = await sent(door, path, body, kind)
    assert (found, words in answer["detail"]) == (status, True), answer
    assert door.application[SENT].held == 0


async def test_what_is_too_large_is_not_taken(door: Door) -> None:
    """A body of unknown length is read up to its limit, and no further."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{door.url}/api/", data=endless(), headers={"Content-Type": JSON}) as response,
    ):
        assert response.status == 413
