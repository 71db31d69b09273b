"""What a drone does to a picture: nearer, farther, other light, haze, motion, a cheap encoder. No TensorFlow."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.picture import Picture

PAD_VALUE: Final = 114
LEAST_VISIBLE: Final = 0.2
"""A box cut by the frame to less than this part of its area is not asked for."""
TURN: Final = 9.0
"""Degrees; standard deviation of how far a picture is turned."""
LEAST_SIDES: Final = (6.0, 9.0)
"""Input pixels by class; a box thinner than this is not asked for."""


def augment(
    picture: Picture, input_size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """A random view of one labelled picture as a model input of `input_size` (width, height).

    Returns the input, where every box has come to lie, cut to the picture, and which boxes can still be asked for.
    """
    image, corners = _flipped(picture.image, picture.corners, rng)
    if picture.turnable and rng.random() < 0.5:
        image, corners = _turned(image, corners, rng.normal(0, TURN))
    framed, (left, top, right, bottom), boxes, shown = _placed(image, corners, input_size, rng)
    kept = shown & ((boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= np.array(LEAST_SIDES)[picture.classes])
    # The light falls on the picture, never on the bars around it: those are always PAD_VALUE when serving.
    framed[top:bottom, left:right] = _lit(np.ascontiguousarray(framed[top:bottom, left:right]), rng)
    return framed, boxes, kept


def _flipped(
    image: NDArray[np.uint8], corners: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Mirror and, rarely, upside down or a quarter turn: strings hang as well as they lie."""
    height, width = image.shape[:2]
    if rng.random() < 0.5:
        image, corners = image[:, ::-1], corners * (-1, 1) + (width, 0)
    if rng.random() < 0.15:
        image, corners = image[::-1], corners * (1, -1) + (0, height)
    if rng.random() < 0.15:
        image, corners = image.transpose(1, 0, 2), corners[..., ::-1]
    return image, np.asarray(corners, np.float32)


def _turned(
    image: NDArray[np.uint8], corners: NDArray[np.float32], degrees: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Turned about its middle, as a banking drone sees it."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(np.ascontiguousarray(image), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8), (corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def _placed(
    image: NDArray[np.uint8], corners: NDArray[np.float32], input_size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[int, int, int, int], NDArray[np.float32], NDArray[np.bool_]]:
    """Scale, stretch and shift the picture into the input, sometimes behind the bars of a wide video.

    Returns the input, the rectangle of it that the picture fills, the boxes in it and which of them show enough.

    Stretching stands in for turning where only boxes are known: it turns a slanted string, and its box stays exact.
    """
    width, height = input_size
    bar = round((height - width * 9 / 16) / 2) if rng.random() < 0.35 else 0
    window_height = height - 2 * bar
    fit = min(width / image.shape[1], window_height / image.shape[0])
    cover = max(width / image.shape[1], window_height / image.shape[0])
    scale = (cover if rng.random() < 0.5 else fit) * np.exp(rng.uniform(np.log(0.65), np.log(1.6)))
    stretch = np.exp(rng.uniform(-0.25, 0.25))
    scales = np.array([scale * stretch, scale / stretch])
    sizes = scales * (image.shape[1], image.shape[0])
    slack = np.array([width, window_height]) - sizes
    # Anywhere inside when it fits; anywhere that leaves no empty border when it does not.
    left, top = rng.uniform(np.minimum(0, slack), np.maximum(0, slack))
    matrix = np.array([[scales[0], 0, left], [0, scales[1], top]])
    small = scale < 0.7
    source = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) if small else image
    warp = matrix @ np.diag([2.0, 2.0, 1.0]) if small else matrix
    window = cv2.warpAffine(
        np.ascontiguousarray(source), warp, (width, window_height), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(PAD_VALUE, PAD_VALUE, PAD_VALUE),
    )  # fmt: skip
    placed = (corners * scales + (left, top)).astype(np.float32)
    first = np.maximum(0, np.floor((left, top))).astype(int)
    last = np.minimum((width, window_height), np.ceil(np.array([left, top]) + sizes)).astype(int)
    boxes, shown = _shown(placed, (first[0], first[1], last[0], last[1]))
    boxes[:, 1::2] += bar
    framed = np.full((height, width, 3), PAD_VALUE, np.uint8)
    framed[bar : bar + window_height] = window
    return framed, (first[0], first[1] + bar, last[0], last[1] + bar), boxes, shown


def _shown(
    corners: NDArray[np.float32], frame: tuple[int, int, int, int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The boxes [B, 4] of what the frame shows of outlines [B, 4, 2], and of which it shows enough."""
    left, top, right, bottom = frame
    window = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    boxes, enough = np.zeros((len(corners), 4), np.float32), np.zeros(len(corners), bool)
    for index, outline in enumerate(corners):
        area, shown = cv2.intersectConvexConvex(np.ascontiguousarray(outline), window)
        if area <= 0:
            continue
        boxes[index] = np.concatenate([shown.min(axis=(0, 1)), shown.max(axis=(0, 1))])
        enough[index] = area >= LEAST_VISIBLE * cv2.contourArea(outline)
    return boxes, enough


def _lit(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Exposure, colour, haze, blur, noise and the traces of an encoder."""
    table = np.linspace(0, 1, 256)
    table = np.clip((table - 0.5) * rng.uniform(0.7, 1.3) + 0.5 + rng.uniform(-0.15, 0.15), 0, 1)
    table = table ** np.exp(rng.uniform(-0.35, 0.35))
    gains = rng.uniform(0.88, 1.12, 3)
    lut = np.clip(table[:, None] * gains * 255, 0, 255).astype(np.uint8)
    lit: Any = cv2.LUT(image, lut[None])
    if rng.random() < 0.4:
        grey = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = rng.uniform(0.2, 1.3)
        lit = cv2.addWeighted(lit, keep, grey, 1 - keep, 0)
    if rng.random() < 0.2:
        keep = rng.uniform(0.45, 0.9)
        lit = cv2.addWeighted(lit, keep, np.full_like(lit, rng.integers(170, 240)), 1 - keep, 0)
    chance = rng.random()
    if chance < 0.12:
        lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 1.3))
    elif chance < 0.24:
        lit = cv2.filter2D(lit, -1, _motion(rng))
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 9), lit.shape[:2]).astype(np.int16)
        lit = np.clip(lit + noise[..., None], 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, packed = cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])
        lit = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.asarray(lit, np.uint8)


def _motion(rng: np.random.Generator) -> NDArray[np.float32]:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
    middle = (length - 1) / 2
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)
