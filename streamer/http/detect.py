"""`POST /api/detect`: pictures that somebody sends, looked at by the model while no camera waits for it.

They go in batches of the cameras' own model, when no frame waits, and one call at a time: a burst of pictures costs no
camera a result.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import av
import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from serving.resize import Resize
from serving.signature import Contract
from streamer.access.action import Action
from streamer.http.bodies.body import read_query
from streamer.http.bodies.picture import DetectedPicture, DetectedPictures, PictureQuestion
from streamer.http.keys import MODELS
from streamer.http.needs import needs
from streamer.http.operation import Answer, Content, described
from streamer.http.sent_pictures import FORM, TYPES, SentPicture, sent_pictures
from streamer.inference.batcher import DropReason
from streamer.inference.model import ServedModel
from streamer.values.clock import monotonic
from streamer.values.detections import Detections
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded, Refused
from streamer.values.frame import Frame, Sample
from streamer.values.track import TrackedBox, boxes_of

AT_ONCE = 4
"""Requests under way: each may hold what it carries, and what of it is decoded."""
DRAWN = "image/jpeg"
TOLD = "application/json"
_decoding = Errands(1, "pictures")
"""One picture is decoded at a time: it may be 150 MB then."""

UNDER_WAY: web.AppKey[set[object]] = web.AppKey("pictures", set)

routes = web.RouteTableDef()


Draw = Callable[[NDArray[np.uint8], Sequence[TrackedBox]], bytes]
"""A picture, uint8 [height, width, 3] in RGB, with boxes on it, as a JPEG. Blocks."""
DRAW: web.AppKey[Draw] = web.AppKey("draw")


def set_up(app: web.Application, draw: Draw) -> None:
    """Nothing is under way."""
    app[UNDER_WAY], app[DRAW] = set(), draw


@dataclass(frozen=True, slots=True)
class _Read:
    """A picture, decoded."""

    sent: SentPicture
    sample: Sample
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
    under_way = request.app[UNDER_WAY]
    if len(under_way) >= AT_ONCE:
        raise Overloaded("as many pictures as may be are being looked at", 2)
    under_way.add(this := object())
    try:
        model = _model(request, asked.model)
        return await _detect(request, model, asked.min_score)
    finally:
        under_way.discard(this)


async def _detect(request: web.Request, model: ServedModel, min_score: float | None) -> web.Response:
    contract = model.contract
    if contract is None or not model.up:
        raise Overloaded(f"the model {model.name} does not answer: {model.reason or 'it was not met yet'}", 5)
    sent, drawn = await sent_pictures(request), _wants_drawn(request)
    if drawn and len(sent) > 1:
        raise Refused(406, "one picture can be drawn at a time; of several the answer is JSON")
    least = contract.min_score if min_score is None else min_score
    read = [await _decoding.run(partial(_prepared, each, contract, least, keep=drawn)) for each in sent]
    answers = await asyncio.gather(*(_asked(model, each.sample) for each in read))
    if drawn:
        assert read[0].pixels is not None  # noqa: S101  it was asked for
        picture = partial(request.app[DRAW], read[0].pixels, boxes_of(answers[0]))
        return web.Response(body=await _decoding.run(picture), content_type=DRAWN)
    pictures = [_shown(each, answer) for each, answer in zip(read, answers, strict=True)]
    return web.json_response(DetectedPictures(model=model.name, version=answers[0].version, pictures=pictures))


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


def _prepared(sent: SentPicture, contract: Contract, min_score: float, *, keep: bool) -> _Read:
    """In a thread: one picture in the model's own size."""
    from streamer.inference.picture import read_picture  # with the first picture, Pillow

    try:
        pixels = read_picture(sent.data)
    except Refused as refused:
        if sent.name is not None:
            raise Refused(refused.status, f"{sent.name}: {refused}") from None
        raise
    height, width = pixels.shape[:2]
    resize = Resize.fit((width, height), (contract.width, contract.height), contract.resize, contract.pad_value)
    # Only its size is looked at: a bit a pixel, which nobody fills.
    frame = Frame("", 0, 0.0, monotonic(), av.VideoFrame(width, height, "monow"))
    return _Read(sent, Sample(frame, resize.apply(pixels), min_score), pixels if keep else None)


async def _asked(model: ServedModel, sample: Sample) -> Detections:
    """What the model finds.

    Raises:
        Overloaded: it does not say.
    """
    answered: asyncio.Future[Detections | DropReason] = asyncio.get_running_loop().create_future()

    def tell(_: Sample, answer: Detections | DropReason) -> None:
        if not answered.done():  # whoever asked may have left
            answered.set_result(answer)

    model.put_picture(sample, tell)
    answer = await answered
    if not isinstance(answer, Detections):
        raise Overloaded(f"the model {model.name} did not answer: {model.reason or answer.replace('_', ' ')}", 5)
    return answer


def _shown(read: _Read, answer: Detections) -> DetectedPicture:
    return DetectedPicture(
        name=read.sent.name,
        width=answer.width,
        height=answer.height,
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
