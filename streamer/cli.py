"""The `sightline` command. Exit codes: 0 done, 1 a check failed, 2 what was given cannot be used; doctor: 3 advice."""

import argparse
import asyncio
import faulthandler
import logging
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from streamer.values.errors import ConfigError, SightlineError

if TYPE_CHECKING:
    from streamer.access.store import Store
    from streamer.archive.terminal.at_rest import AtRest
    from streamer.config import StreamSettings


CONFIG = Path("sightline.yaml")
"""What `serve` takes where no file is named."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["export"]:  # its arguments are its own
        from sightline_export.cli import main as export_main

        return export_main(given[1:])
    arguments = _parser(given).parse_args(given)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except ConfigError as error:
        print(f"sightline: {error}", file=sys.stderr)
        return 2
    except SightlineError as error:
        print(f"sightline: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads us has had enough, and Python would say so again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sightline", description="Real-time video detection: cameras in, boxes out.")
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the service")
    serve.add_argument("--config", type=Path, metavar="FILE", help=f"(default ./{CONFIG}; docs/{CONFIG} has every key)")
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
    bench.add_argument("parts", nargs="*", metavar="PART", help="what to measure (default: everything)")
    bench.add_argument("--seconds", type=_seconds, default=10.0, help="of each window (default %(default)s)")
    bench.add_argument(
        "--state", type=Path, default=Path(".sightline"), help="where the model and the footage are kept"
    )
    bench.add_argument(
        "--events", type=_events, default=100_000, help="the archive has when it is measured (default %(default)s)"
    )
    bench.add_argument(
        "--database",
        metavar="URL",
        help="a PostgreSQL server; the archive is measured on it too, in a database of its own",
    )
    bench.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="a working copy of Sightline, whose service is measured in turn with this one where bench can",
    )
    bench.add_argument(
        "--streamvision",
        type=Path,
        metavar="PYTHON",
        help="an interpreter that has streamvision, measured among the peers",
    )
    bench.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    bench.set_defaults(run=_bench)

    _add_detect(commands.add_parser("detect", help="find things in pictures and videos; label them"), given[:1])

    _add_evaluate(commands.add_parser("evaluate", help="judge the boxes viewers see of a clip whose boxes are known"))

    _add_doctor(commands.add_parser("doctor", help="say what is wrong with a camera, and what would be better"))

    _add_access(
        commands.add_parser("user", help="who may sign in: add, list, remove, passwd"),
        commands.add_parser("token", help="what programs show: add, list, remove"),
        given[:1],
    )

    _add_archive(commands.add_parser("archive", help="what is kept: check it, prune it, export some of it"), given[:1])

    commands.add_parser("export", help="turn a checkpoint into a SavedModel (its own --help says more)")
    return parser


def _add_access(user: argparse.ArgumentParser, token: argparse.ArgumentParser, word: Sequence[str]) -> None:
    """The verbs of `user` and `token`, for who says one of these words: others need not wait for their imports."""
    if word == ["user"]:
        from streamer.access import user_command

        user_command.add_verbs(user, _keeps)
    if word == ["token"]:
        from streamer.access import token_command

        token_command.add_verbs(token, _keeps)


def _add_archive(parser: argparse.ArgumentParser, word: Sequence[str]) -> None:
    """The verbs of `archive`, for who says that word."""
    if word == ["archive"]:
        from streamer.archive.terminal import verbs
        from streamer.tools.progress import Progress

        progress = Progress()
        verbs.add_verbs(parser, _at_rest, lambda said: progress.count(said) if said else progress.end())


def _add_detect(parser: argparse.ArgumentParser, word: Sequence[str]) -> None:
    """The options of `detect`, for who says that word."""
    if word == ["detect"]:
        from streamer.annotate.options import add_options

        add_options(parser)
        parser.set_defaults(run=_detect)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clip", type=Path, required=True, metavar="VIDEO", help="an H.264 video, played as a camera")
    parser.add_argument(
        "--truth",
        type=Path,
        required=True,
        metavar="JSON",
        help="its boxes, frame by frame; docs/evaluate.md has the form",
    )
    server = parser.add_mutually_exclusive_group()
    server.add_argument("--serving", metavar="ADDRESS", help="of a model server that runs (default: one is started)")
    server.add_argument(
        "--model-path", type=Path, metavar="MODELS/NAME", help="an exported model to serve (default: the bundled one)"
    )
    parser.add_argument("--model", metavar="NAME", help="of the model at --serving (default insulators)")
    parser.add_argument("--sample-fps", type=_sample_fps, metavar="N", help="samples a second (default 5)")
    parser.add_argument(
        "--min-score", type=_score, metavar="S", help="draw boxes from here on (default: as the model says)"
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="play that much of the clip (default: all)")
    parser.add_argument("--state", type=Path, default=Path(".sightline"), help="where the bundled model is kept")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.set_defaults(run=_evaluate)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = "Watch a camera for some seconds. Exit codes: 0 healthy, 3 works with advice, 1 does not work."
    parser.add_argument("camera", metavar="URL|NAME", help="as in sightline.yaml, ${VARIABLES} too; or a stream's name")
    parser.add_argument("--config", type=Path, help="the sightline.yaml that NAME stands in")
    parser.add_argument("--still", type=Path, metavar="FILE.jpg", help="write a picture")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument("--transport", choices=["tcp", "udp"], help="how RTSP carries the video (default tcp)")
    parser.add_argument("--listen", action="store_true", help="the camera pushes to URL")
    parser.add_argument("--tls-ca", metavar="FILE.pem", help="the camera's certificate, or who signed it")
    parser.add_argument("--tls-name", metavar="NAME", help="the name in the camera's certificate")
    parser.add_argument("--tls-no-verify", action="store_true", help="take any certificate")
    parser.set_defaults(run=_doctor)


def _number(what: str, low: float, high: float) -> Callable[[str], float]:
    """What argparse reads a number within limits with."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a {what} from {low:g} to {high:g}")
        return number

    return read


_seconds = _number("number of seconds", 1, 3600)
_sample_fps = _number("number of samples a second", 0.1, 120)
_score = _number("score", 0, 1)
_events = _number("number of events", 1000, 10_000_000)


class _Version(argparse.Action):
    """Says the version and ends; what it is read from is not imported for any other command."""

    def __call__(self, parser: argparse.ArgumentParser, *_rest: object) -> None:
        from importlib.metadata import version

        print(f"sightline {version('sightline')}")
        parser.exit()


def _serve(arguments: argparse.Namespace) -> NoReturn:
    from streamer import config

    path: Path = arguments.config or CONFIG
    said = config.read(path)
    if arguments.config is None and isinstance(said, FileNotFoundError):
        raise ConfigError(f"there is no {path} in {_here()}; write one, or name your own with --config FILE")
    settings = config.understand(path, said)  # first: a mistake in it is said before a second of imports
    from streamer.app import serve
    from streamer.tools.memory import keep_memory

    _log(logging.DEBUG if arguments.verbose else logging.INFO)
    faulthandler.enable()  # libraries of C may end us without a word
    keep_memory()
    asyncio.run(serve(settings, path, lambda where: print(f"sightline: serving {where}", flush=True)))
    _end()


def _end() -> NoReturn:
    """End at once where all is closed: gRPC's daemon thread would be ended within C++, which now and then aborts us."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed under our feet
        return "this directory, which is not there any more"


def _keeps(arguments: argparse.Namespace) -> "tuple[Store, Path]":
    """The files of users and of the audit that a command is about: those of the service with this configuration."""
    from streamer import config
    from streamer.access.store import Store

    path: Path = arguments.config or CONFIG
    said = config.read(path)
    if arguments.config is None and isinstance(said, FileNotFoundError):
        said = b""  # a service that is not there yet
    kept = config.store_of(path, said)
    store = Store(kept)
    store.read()
    return store, config.audit_path(kept)


def _at_rest(arguments: argparse.Namespace) -> "AtRest":
    """The archive that a command is about: the one of the service with this configuration."""
    from streamer import config, keeping

    path: Path = arguments.config or CONFIG
    settings = config.load(path)
    return keeping.at_rest(settings, path, None if settings.cluster is None else settings.cluster.member)


def _demo(arguments: argparse.Namespace) -> int:
    from streamer.tools.demo import Demo

    return Demo(arguments.state, arguments.port, arguments.serving_port, arguments.camera_port).run()


def _camera(arguments: argparse.Namespace) -> int:
    from streamer.tools.camera import push

    push(arguments.file, arguments.url)
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from streamer.bench import run

    return run(
        arguments.state,
        arguments.seconds,
        arguments.parts,
        as_json=arguments.json,
        events=int(arguments.events),
        database=arguments.database,
        against=arguments.against,
        streamvision=arguments.streamvision,
    )


def _detect(arguments: argparse.Namespace) -> int:
    from streamer.annotate.command import run

    _log(logging.ERROR)
    return run(arguments)


def _evaluate(arguments: argparse.Namespace) -> int:
    from streamer import config

    if arguments.model is not None and arguments.serving is None:
        raise ConfigError("--model names a model of a server that runs; give that server's address with --serving")
    given_path = arguments.model_path and arguments.model_path.absolute().name
    model = arguments.model or given_path or "insulators"
    given = {"sample_fps": arguments.sample_fps, "min_score": arguments.min_score}
    stream = {"listen": True} | {key: value for key, value in given.items() if value is not None}

    def settings(address: str, url: str) -> config.Config:
        return config.parse(
            {"serving": {"address": address, "model": model}, "streams": {"clip": stream | {"url": url}}}
        )

    settings(arguments.serving or "127.0.0.1:5000", "rtsp://127.0.0.1/clip")  # first, before seconds of imports
    from streamer.evaluate.evaluation import Material, run
    from streamer.service import Service
    from streamer.tools.model_server import ModelServer

    _log(logging.ERROR)
    return run(
        Material(arguments.clip, arguments.truth, arguments.seconds),
        ModelServer(arguments.serving, model, arguments.model_path, arguments.state),
        lambda address, url: Service(settings(address, url)),
        as_json=arguments.json,
    )


def _doctor(arguments: argparse.Namespace) -> int:
    stream = _examined(arguments)  # first, before a second of imports
    from streamer.control.targets import target_of
    from streamer.doctor import command

    _log(logging.ERROR)
    return command.run(target_of(stream), sample_fps=stream.sample_fps, still=arguments.still, as_json=arguments.json)


def _examined(arguments: argparse.Namespace) -> "StreamSettings":
    """The stream a doctor is asked about: one of a configuration file, or a URL with options as they stand in one."""
    from streamer import config

    tls = {"ca": arguments.tls_ca, "name": arguments.tls_name, "verify": False if arguments.tls_no_verify else None}
    tls = {key: value for key, value in tls.items() if value is not None}
    given = {"transport": arguments.transport, "listen": arguments.listen or None, "tls": tls or None}
    options = {key: value for key, value in given.items() if value is not None}
    if arguments.config is not None:
        streams = config.load(arguments.config).streams
        if options:
            raise ConfigError("--config: the file says how a stream is read; leave out the other options")
        if arguments.camera not in streams:
            known = ", ".join(streams) or "none"
            raise ConfigError(f"{arguments.config}: there is no stream of that name; there are: {known}")
        return streams[arguments.camera]
    try:
        return config.parse({"streams": {"doctor": {"url": arguments.camera} | options}}).streams["doctor"]
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix("streams.doctor.").removeprefix("streams.doctor: ")) from None


def _log(level: int) -> None:
    """Log lines for a terminal or a container, passwords removed."""
    from streamer.values.url import RedactFilter

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    handler.addFilter(RedactFilter())
    logging.basicConfig(level=level, handlers=[handler])
    # gRPC's loop also writes from a daemon thread, in which Python aborts where the process ends meanwhile.
    for noisy in ("aioice", "aiortc", "asyncio", "grpc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
