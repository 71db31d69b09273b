"""The three routes of the web application this grew from, for programs that were written for it.

freds0/flask_fault_detection_power_transmission_lines on GitHub, `app.py`. Its shapes; the pictures are `/api/detect`'s:
upright and in RGB, where two of its routes had red and blue exchanged.
"""

import base64
import binascii
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import ConfigDict
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.http.bodies.body import Body, read, read_query
from streamer.http.bodies.picture import PictureQuestion
from streamer.http.body import JSON
from streamer.http.detect import Looked, Reading, decoding, look
from streamer.http.needs import needs
from streamer.http.operation import Answer, Content, described
from streamer.http.sent_bytes import Share
from streamer.http.sent_pictures import FORM, TYPES, SentPicture, in_time, sent_pictures
from streamer.values.errors import Refused

MAX_JSON = 16 << 20
"""Bytes of a body with a picture in it: three quarters of them are the picture's."""
LEAST = 0.5
"""What scores less was not told."""
STEP = 1 << 20
"""Characters that are decoded at a time, four to three bytes: Python's lock is held meanwhile."""
RECEIVED = "image received"

routes = web.RouteTableDef()


class EncodedPicture(Body):
    """A picture in JSON."""

    model_config = ConfigDict(extra="ignore")

    image: str
    """In base64, with `data:image/jpeg;base64,` before it or without."""


class Result(TypedDict):
    """One thing in a picture."""

    name: str
    """Its label."""
    conf: str
    """Its score."""
    bbox: list[int]
    """[x_min, y_min, x_max, y_max] in pixels of the picture, upright."""


class Results(TypedDict):
    """What was found."""

    results: list[Result]


class Annotation(TypedDict):
    """The same, in another's words."""

    message: str
    annotation: Results


class DrawnPicture(TypedDict):
    """A JPEG with boxes on it."""

    message: str
    image: dict[str, Any]
    """As jsonpickle writes what `numpy.frombuffer` makes of bytes; they are its `py/b64`."""


NOT: dict[int, object] = {
    404: "no model of that name runs",
    415: Answer(means="no picture that is read here", headers=("Accept-Post",)),
    422: "the picture is broken",
    503: Answer(means="the model does not answer, or too many wait", headers=("Retry-After",)),
}


@routes.post("/api/")
@needs(Action.VIEW)
@described({200: Results, **NOT}, body=EncodedPicture, query=PictureQuestion, deprecated=True)
async def encoded(request: web.Request) -> web.Response:
    """Find things in a picture that comes as base64; `POST /api/detect` takes it as it is."""
    return web.json_response(_results(await _looked(request, encoded_picture)))


@routes.post("/api/json")
@needs(Action.VIEW)
@described({200: Annotation, **NOT}, body=Content(media=TYPES), query=PictureQuestion, deprecated=True)
async def annotation(request: web.Request) -> web.Response:
    """Find things in a picture, as `POST /api/detect`."""
    return web.json_response(Annotation(message=RECEIVED, annotation=_results(await _looked(request, one_picture))))


@routes.post("/api/img")
@needs(Action.VIEW)
@described({200: DrawnPicture, **NOT}, body=Content(media=TYPES), query=PictureQuestion, deprecated=True)
async def drawn(request: web.Request) -> web.Response:
    """Draw what is found in a picture; `POST /api/detect` with `Accept: image/jpeg` answers it as it is."""
    looked = await _looked(request, one_picture, drawn=True)
    assert looked.drawn is not None  # noqa: S101  it was asked for
    jpeg = await decoding.run(partial(base64.b64encode, looked.drawn))
    image = {"py/reduce": [{"py/function": "numpy.frombuffer"}, {"py/tuple": [{"py/b64": jpeg.decode()}, "uint8"]}]}
    return web.json_response(DrawnPicture(message=RECEIVED, image=image))


async def _looked(request: web.Request, reading: Reading, *, drawn: bool = False) -> Looked:
    asked = read_query(PictureQuestion, request.query)
    if asked.min_score is None:
        asked = asked.model_copy(update={"min_score": LEAST})
    return await look(request, asked, reading, drawn=drawn)


def _results(looked: Looked) -> Results:
    [(_, _, answer)] = looked.pictures
    return Results(
        results=[
            Result(name=each["label"], conf=str(each["score"]), bbox=[int(edge) for edge in each["box"]])
            for each in answer.event()["detections"]
        ]
    )


# ---- what a request carries


async def one_picture(request: web.Request, share: Share) -> list[SentPicture]:
    """The picture that is a body.

    Raises:
        Refused: as `sent_pictures`; a form is none of these.
        Overloaded: as `sent_pictures`.
    """
    if request.content_type == FORM:
        raise Refused(415, f"the body must be {', '.join(TYPES)}, not {FORM}", {"Accept-Post": ", ".join(TYPES)})
    return await sent_pictures(request, share)


async def encoded_picture(request: web.Request, share: Share) -> list[SentPicture]:
    """The picture in a body of JSON.

    Raises:
        Refused: 415 it is of another type, 413 it is too large, 400 it is no JSON, 422 it has no picture in base64, 408
            it does not come.
        Overloaded: there is no room for it, or it came slowly and its room was needed.
    """
    if request.content_type != JSON:
        raise Refused(415, f"the body must be {JSON}, not {request.content_type}", {"Accept-Post": JSON})
    if request.content_length is not None and request.content_length > MAX_JSON:
        raise _too_large()
    text = await in_time(request, share, _text(request, share))
    share.take(len(text))  # for its second form
    return [SentPicture(None, await decoding.run(partial(_decoded, text)))]


async def _text(request: web.Request, share: Share) -> bytes:
    text = bytearray()
    async for chunk in request.content.iter_any():
        if len(text) + len(chunk) > MAX_JSON:
            raise _too_large()
        share.take(len(chunk))
        text += chunk
    return bytes(text)


def _decoded(text: bytes) -> bytes:
    """In a thread."""
    encoded = read(EncodedPicture, text).image
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    encoded = "".join(encoded.split())  # some write it in lines
    try:
        return b"".join(binascii.a2b_base64(encoded[at : at + STEP]) for at in range(0, len(encoded), STEP))
    except ValueError:
        raise Refused(422, "`image` is no base64") from None


def _too_large() -> Refused:
    return Refused(
        413, f"a picture in JSON may have {MAX_JSON >> 20} MiB; POST /api/detect takes larger ones as they are"
    )
