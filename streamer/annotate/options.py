"""What is written behind `sightline detect`."""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from streamer import config
from streamer.annotate.forms import FORMS
from streamer.annotate.output import Wish
from streamer.annotate.printed import FORMS as PRINTED
from streamer.annotate.thresholds import Thresholds
from streamer.config import ServingSettings
from streamer.tools.model_server import ModelServer
from streamer.values.errors import ConfigError
from streamer.values.tiles import Tiles


@dataclass(frozen=True)
class Options:
    """All of it, checked."""

    given: tuple[Path, ...]
    recursive: bool
    every: float | None
    tiles: Tiles
    thresholds: Thresholds
    output: Path | None
    """None: stdout."""
    wish: Wish
    anew: bool
    serving: ServingSettings
    server: ModelServer


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `sightline detect`."""
    parser.description = (
        "Find things in pictures and videos. Exit codes: 0 all done, 1 some could not be read, 2 none could."
    )
    parser.add_argument("given", nargs="+", type=Path, metavar="PICTURE", help="a picture, a video or a folder of them")
    parser.add_argument("-r", "--recursive", action="store_true", help="folders' folders too")
    parser.add_argument("--output", type=Path, metavar="DIR", help="write there; a second run does what is missing")
    parser.add_argument("--format", choices=FORMS, default="json", help="of the labels (default %(default)s)")
    parser.add_argument(
        "--every", type=_seconds, metavar="SECONDS", help="of a video a frame so often (default: every frame)"
    )
    parser.add_argument(
        "--min-score",
        type=_threshold,
        action="append",
        default=[],
        metavar="S|CLASS=S",
        help="what scores less does not count, or of that class (default: as the model says); may be said again",
    )
    parser.add_argument(
        "--tiles",
        choices=get_args(Tiles),
        default="off",
        help="look at overlapping parts too, for small things in large pictures (default %(default)s)",
    )
    parser.add_argument("--draw", action="store_true", help="also write each picture with its boxes, into DIR/drawn")
    parser.add_argument("--copy", action="store_true", help="also write each picture as it is, into DIR/images")
    parser.add_argument("--anew", action="store_true", help="do again what was done, as with other settings")
    server = parser.add_mutually_exclusive_group()
    server.add_argument("--config", type=Path, metavar="FILE", help="ask the model server of that sightline.yaml")
    server.add_argument("--server", metavar="ADDRESS", help="ask the model server at host:port (default: start one)")
    server.add_argument(
        "--model-path", type=Path, metavar="MODELS/NAME", help="an exported model to serve (default: the bundled one)"
    )
    parser.add_argument("--model", metavar="NAME", help="of the model at that server")
    parser.add_argument("--state", type=Path, default=Path(".sightline"), help="where the bundled model is kept")


def options_of(arguments: argparse.Namespace) -> Options:
    """What was asked for.

    Raises:
        ConfigError: it cannot be had so; says what is allowed.
    """
    if arguments.output is None:
        if arguments.format not in PRINTED:
            raise ConfigError(f"--format {arguments.format} is written as files; say where with --output DIR")
        for option in ("draw", "copy", "anew"):
            if getattr(arguments, option):
                raise ConfigError(f"--{option} is about a folder; name it with --output DIR")
    serving = _serving(arguments)
    is_there = arguments.config is not None or arguments.server is not None
    return Options(
        tuple(arguments.given),
        arguments.recursive,
        arguments.every,
        arguments.tiles,
        _thresholds(arguments.min_score),
        arguments.output,
        Wish(arguments.format, draw=arguments.draw, copy=arguments.copy),
        arguments.anew,
        serving,
        ModelServer(serving.address if is_there else None, serving.model, arguments.model_path, arguments.state),
    )


def _serving(arguments: argparse.Namespace) -> ServingSettings:
    if arguments.config is not None:
        serving = config.load(arguments.config).serving
    elif arguments.server is not None:
        serving = config.parse({"serving": {"address": arguments.server}}).serving
    else:
        if arguments.model is not None:
            raise ConfigError("--model names a model of a server that runs; say which with --server or --config")
        path = arguments.model_path
        serving = config.parse({"serving": {} if path is None else {"model": path.absolute().name}}).serving
    if arguments.model is not None:
        config.parse({"serving": {"model": arguments.model}})  # says what a name may be
        serving = serving.model_copy(update={"model": arguments.model})
    return serving


def _thresholds(said: list[tuple[str | None, float]]) -> Thresholds:
    return Thresholds(dict(said).get(None), {label: score for label, score in said if label is not None})


def _threshold(text: str) -> tuple[str | None, float]:
    label, equals, number = text.rpartition("=")
    return (label if equals else None), _number(number, 0, 1, f"{text!r} is no score from 0 to 1, alone or as CLASS=S")


def _seconds(text: str) -> float:
    return _number(text, 0.001, 86400, f"{text!r} is not a number of seconds from 0.001 to 86400")


def _number(text: str, low: float, high: float, otherwise: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(otherwise)
    return number
