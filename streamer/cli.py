"""The `sightline` command. Exit codes: 0 done, 1 a check failed, 2 what was given cannot be used."""

import argparse
import asyncio
import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from streamer.errors import ConfigError, SightlineError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["export"]:  # its arguments are its own
        from export.cli import main as export_main

        return export_main(given[1:])
    arguments = _parser().parse_args(given)
    try:
        code: int = arguments.run(arguments)
    except ConfigError as error:
        print(f"sightline: {error}", file=sys.stderr)
        return 2
    except SightlineError as error:
        print(f"sightline: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sightline", description="Real-time video detection: cameras in, boxes out.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the service")
    serve.add_argument(
        "--config", type=Path, required=True, help="sightline.yaml; docs/sightline.yaml comments every key"
    )
    serve.add_argument("--verbose", action="store_true", help="log more")
    serve.set_defaults(run=_serve)

    demo = commands.add_parser("demo", help="a demo camera, a model server and the service, all on this machine")
    demo.add_argument("--port", type=int, default=8000, help="of the page (default %(default)s)")
    demo.add_argument("--serving-port", type=int, default=5000, help="of the model server (default %(default)s)")
    demo.add_argument("--camera-port", type=int, default=8554, help="of the demo camera's RTSP (default %(default)s)")
    demo.add_argument("--state", type=Path, default=Path(".sightline"), help="where the model and the footage are kept")
    demo.set_defaults(run=_demo)

    camera = commands.add_parser("camera", help="push a video file to an RTSP URL in a loop, as a camera would")
    camera.add_argument("file", type=Path)
    camera.add_argument("url", help="rtsp://host:port/path somebody listens at")
    camera.set_defaults(run=_camera)

    bench = commands.add_parser("bench", help="measure this machine: start, viewers, throughput")
    bench.add_argument("--seconds", type=_seconds, default=10.0, help="of each window (default %(default)s)")
    bench.add_argument(
        "--state", type=Path, default=Path(".sightline"), help="where the model and the footage are kept"
    )
    bench.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    bench.set_defaults(run=_bench)

    commands.add_parser("export", help="turn a checkpoint into a SavedModel (the same as python -m export)")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to 3600")
    return seconds


def _serve(arguments: argparse.Namespace) -> int:
    from streamer import config

    settings = config.load(arguments.config)  # first: a mistake in it is said before a second of imports
    from streamer.app import keep_memory, serve

    _log(logging.DEBUG if arguments.verbose else logging.INFO)
    keep_memory()
    asyncio.run(serve(settings, ready=lambda where: print(f"sightline: serving {where}", flush=True)))
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from streamer.demo import Demo

    return Demo(arguments.state, arguments.port, arguments.serving_port, arguments.camera_port).run()


def _camera(arguments: argparse.Namespace) -> int:
    from streamer.camera import push

    push(arguments.file, arguments.url)
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from streamer.bench import run

    return run(arguments.state, arguments.seconds, as_json=arguments.json)


def _log(level: int) -> None:
    """Log lines for a terminal or a container, passwords removed."""
    from streamer.url import RedactFilter

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    handler.addFilter(RedactFilter())
    logging.basicConfig(level=level, handlers=[handler])
    for noisy in ("aioice", "aiortc", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
