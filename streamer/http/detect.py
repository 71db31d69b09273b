"""`POST /api/detect`: pictures that somebody sends, looked at by the model while no camera waits for it.

They go in batches of the cameras' own model, when no frame waits, and one call at a time: a burst of pictures costs no
camera a result. What is sent is read before it takes a place among those that are looked at: who sends slowly is waited
for by nobody else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import av
import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from serving.signature import Contract
from streamer.access.action import Action
from streamer.http.bodies.body import read_query
from streamer.http.bodies.picture import DetectedPicture, DetectedPictures, PictureQuestion
from streamer.http.keys import MODELS
from streamer.http.needs import needs
from streamer.http.operation import Answer, Content, described
from streamer.http.sent_bytes import SentBytes, Share
from streamer.http.sent_pictures import FORM, MAX_BYTES, TYPES, SentPicture, sent_pictures
from streamer.inference.merging import merge
from streamer.inference.model import ServedModel
from streamer.inference.pixels import Pixels
from streamer.inference.slot import DropReason
from streamer.inference.tiling import sample_of_pixels
from streamer.values.clock import monotonic
from streamer.values.detections import Detections
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded, Refused
from streamer.values.frame import Frame, Sample
from streamer.values.tiles import Tiles
from streamer.values.track import TrackedBox, boxes_of

AT_ONCE = 4
"""Requests whose pictures are looked at: of each, several may be decoded."""
PATIENCE = 10.0
"""Seconds for which a request that has come waits to be one of them."""
DRAWN = "image/jpeg"
TOLD = "application/json"
decoding = Errands(1, "pictures")
"""One picture is decoded at a time: it may be 150 MB then."""

SENT: web.AppKey[SentBytes] = web.AppKey("sent", SentBytes)
PLACES: web.AppKey[asyncio.Semaphore] = web.AppKey("places", asyncio.Semaphore)

routes = web.RouteTableDef()


Draw = Callable[[NDArray[np.uint8], Sequence[TrackedBox]], bytes]
"""A picture, uint8 [height, width, 3] in RGB, with boxes on it, as a JPEG. Blocks."""
DRAW: web.AppKey[Draw] = web.AppKey("draw")


def set_up(app: web.Application, draw: Draw) -> None:
    """Nothing is under way."""
    app[SENT], app[PLACES], app[DRAW] = SentBytes(AT_ONCE * MAX_BYTES), asyncio.Semaphore(AT_ONCE), draw


Reading = Callable[[web.Request, Share], Awaitable[list[SentPicture]]]
"""How pictures are read from a request's body, into a share of what may be held."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen."""

    model: ServedModel
    contract: Contract
    pictures: list[tuple[SentPicture, int, Detections]]
    """Each, the orientation by which it was turned upright, and what is in it. One at the least."""
    drawn: bytes | None
    """A JPEG, where one was wanted."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A picture, decoded."""

    sample: Sample
    orientation: int
    """By which it was turned upright."""
    pixels: NDArray[np.uint8] | None
    """uint8 [height, width, 3], RGB; None: nobody wants to see it."""


@routes.post("/api/detect")
@needs(Action.VIEW)
@described(
    {
        200: Answer(Content(DetectedPictures, media=(TOLD, DRAWN)), "as JSON, or drawn where JPEG is accepted"),
        404: "no model of that name runs",
        406: "several pictures are asked for as one",
        415: Answer(means="no picture that is read here", headers=("Accept-Post",)),
        422: "a picture is broken",
        503: Answer(means="the model does not answer, or too many wait", headers=("Retry-After",)),
    },
    body=Content(media=(*TYPES, FORM)),
    query=PictureQuestion,
)
async def detect(request: web.Request) -> web.Response:
    """Find things in one picture, or in the several of a form; `Accept: image/jpeg` has one drawn."""
    asked = read_query(PictureQuestion, request.query)
    looked = await look(request, asked, sent_pictures, drawn=_wants_drawn(request))
    if looked.drawn is not None:
        return web.Response(body=looked.drawn, content_type=DRAWN)
    return web.json_response(
        DetectedPictures(
            model=looked.model.name,
            version=looked.pictures[0][-1].version,
            min_score=looked.contract.min_score,
            pictures=[_shown(*each) for each in looked.pictures],
        )
    )


async def look(request: web.Request, asked: PictureQuestion, reading: Reading, *, drawn: bool) -> Looked:
    """Read what a request carries, and have it looked at.

    Args:
        request: its body is read.
        asked: of which model, and from which score on.
        reading: how its pictures are found in it.
        drawn: whether one is wanted with its boxes.

    Raises:
        Refused: 404 there is no such model, 406 several cannot be drawn, what `reading` raises, 422 one is broken.
        Overloaded: the model does not answer, or too much is under way.
    """
    model = _model(request, asked.model)
    contract = model.contract
    if contract is None or not model.up:
        raise Overloaded(f"the model {model.name} does not answer: {model.reason or 'it was not met yet'}", 5)
    with request.app[SENT].share() as share:
        sent = await reading(request, share)
        if drawn and len(sent) > 1:
            raise Refused(406, "one picture can be drawn at a time; of several the answer is JSON")
        async with _a_place(request.app[PLACES]):
            least, tiles = contract.min_score if asked.min_score is None else asked.min_score, asked.tiles
            read, answers = list[_Read](), list[Detections]()
            # In parts one is looked at after the other: all would hold much memory, and every place in the line.
            for some in [sent] if tiles == "off" else [[each] for each in sent]:
                parts = [
                    await decoding.run(partial(_prepared, each, contract, least, tiles, keep=drawn)) for each in some
                ]
                answers += await asyncio.gather(*(_asked(model, each.sample) for each in parts))
                read += [replace(each, sample=replace(each.sample, tiles=())) for each in parts]
            picture = await _drawn(request.app[DRAW], read[0], answers[0]) if drawn else None
    turned = [each.orientation for each in read]
    return Looked(model, contract, list(zip(sent, turned, answers, strict=True)), picture)


@asynccontextmanager
async def _a_place(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """Be one of those that are looked at.

    Raises:
        Overloaded: no other came to its end in time.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            await places.acquire()
    except TimeoutError:
        raise Overloaded("as many pictures as may be are being looked at", 2) from None
    try:
        yield
    finally:
        places.release()


def _model(request: web.Request, name: str | None) -> ServedModel:
    models = request.app[MODELS]
    found = models.get(models.own if name is None else name)
    if found is None:
        raise Refused(404, f"no model of that name runs; there are: {', '.join(sorted(models))}")
    return found


def _wants_drawn(request: web.Request) -> bool:
    """Whether a picture is asked for, and JSON is not (RFC 9110 section 12.5.1): browsers' `*/*` is JSON."""
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]
    return any(part in (DRAWN, "image/*") for part in accepted) and TOLD not in accepted


def _prepared(sent: SentPicture, contract: Contract, min_score: float, tiles: Tiles, *, keep: bool) -> _Read:
    """In a thread: one picture in the model's own size, and each of its tiles."""
    from streamer.inference.picture import read_turned  # with the first picture, Pillow

    try:
        pixels, orientation = read_turned(sent.data)
    except Refused as refused:
        if sent.name is not None:
            raise Refused(refused.status, f"{sent.name}: {refused}") from None
        raise
    height, width = pixels.shape[:2]
    # Only its size is looked at: a bit a pixel, which nobody fills.
    frame = Frame("", 0, 0.0, monotonic(), av.VideoFrame(width, height, "monow"))
    return _Read(
        sample_of_pixels(frame, Pixels((pixels,)), contract, min_score, tiles), orientation, pixels if keep else None
    )


async def _drawn(draw: Draw, read: _Read, answer: Detections) -> bytes:
    assert read.pixels is not None  # noqa: S101  they were kept for this
    return await decoding.run(partial(draw, read.pixels, boxes_of(answer)))


async def _asked(model: ServedModel, sample: Sample) -> Detections:
    """What the model finds in it. Its parts wait as pictures of their own: while cameras ask, one goes at a time.

    Raises:
        Overloaded: it does not say.
    """
    return merge(sample, await asyncio.gather(*(_look(model, each) for each in sample.looks())))


async def _look(model: ServedModel, sample: Sample) -> Detections:
    answered: asyncio.Future[Detections | DropReason] = asyncio.get_running_loop().create_future()

    def tell(_: Sample, answer: Detections | DropReason) -> None:
        if not answered.done():  # whoever asked may have left
            answered.set_result(answer)

    model.put_picture(sample, tell)
    answer = await answered
    if not isinstance(answer, Detections):
        raise Overloaded(f"the model {model.name} did not answer: {model.reason or answer.replace('_', ' ')}", 5)
    return answer


def _shown(sent: SentPicture, orientation: int, answer: Detections) -> DetectedPicture:
    return DetectedPicture(
        name=sent.name,
        width=answer.width,
        height=answer.height,
        orientation=orientation,
        detections=[
            {
                "label": each["label"],
                "class_id": each["class_id"],
                "score": each["score"],
                "box": each["box"],
            }
            for each in answer.event()["detections"]
        ],
    )
