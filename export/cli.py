"""`sightline export`: arguments in, one model out.

Exit code 0: exported, or nothing to do. 1: a check failed. 2: something given cannot be used. After 1 and 2 the output
directory is as it was.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from sightline_export.check import Prove
from sightline_export.checkup import checkup, find
from sightline_export.errors import ExportError, Unusable
from sightline_export.fresh_process import FreshProcess
from sightline_export.inspector import INSPECTABLE, inspect
from sightline_export.interrupt import Interrupt
from sightline_export.pictures import drawn_pictures
from sightline_export.report import Report, megabytes
from sightline_export.request import Request
from sightline_export.silence import import_tensorflow
from sightline_export.source_options import add_source_options, read_source_options
from sightline_export.versions import staging

EPILOG = """\
examples:
  sightline export --output models/served/insulators
  sightline export frozen_inference_graph.pb --labels label_map.pbtxt --output models/served/voc
  sightline export runs/7/ckpt-12 --builder models/mynet.py:build --output models/served/mine
  sightline export runs/7/model.ckpt-900 --inputs image --outputs boxes=concat scores=concat_1 \\
      --decode head.yaml --labels label_map.pbtxt --output models/served/mine

what a file holds, and how to export it:
  sightline export inspect frozen_inference_graph.pb

whether an exported version is still what it was:
  sightline export --check models/served/voc
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Unusable(message)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = _Parser(
        prog="sightline export",
        description="Turn a trained detector into a SavedModel that TensorFlow Serving and Sightline load as it is.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source_options(found)
    add = found.add_argument
    output = ("--output", "--output_export_dir")
    add(*output, type=Path, required=True, metavar="MODELS/NAME", help="the model's directory; versions go inside")
    add("--name", help="the name it is served under (default: the last part of --output)")
    add("--input-size", type=_size, metavar="WIDTHxHEIGHT", help="the model's input (default: what the source says)")
    add("--resize", choices=("letterbox", "stretch"), help="how a frame becomes that input (default: as the source)")
    add("--min-score", type=_score, metavar="S", help="0..1, the score above which a detection is to be believed")
    add("--findings", nargs="*", metavar="LABEL", help="labels to set apart (default: those named like a fault)")
    add("--pictures", type=Path, metavar="DIR", help="pictures for the checks (default: generated ones)")
    add("--keep-pictures", action="store_true", help="keep them with the model (default: only what was found on them)")
    add("--frozen", action="store_true", help="write graph and weights as one frozen .pb as well")
    add(
        "--check", action="store_true", help="instead of all this, prove an exported version again: --check MODELS/NAME"
    )
    add("--if-changed", action="store_true", help="do nothing if the newest version was made from the same input")
    return found


def inspect_parser() -> argparse.ArgumentParser:
    """The command line of `inspect`."""
    found = _Parser(
        prog="sightline export inspect",
        description="Say what a file or directory holds: inputs, outputs, classes, sizes, and how to export it.",
    )
    found.add_argument("path", type=Path, metavar="PATH", help=INSPECTABLE)
    found.add_argument("--json", action="store_true", help="one JSON document instead of a text")
    return found


def check_parser() -> argparse.ArgumentParser:
    """The command line of `check`."""
    found = _Parser(
        prog="sightline export --check",
        description="Prove an exported version once more: its files, its detections, its contract.",
    )
    found.add_argument("version", type=Path, metavar="VERSION", help="MODELS/NAME/3, or MODELS/NAME for its newest")
    found.add_argument(
        "--pictures", type=Path, metavar="DIR", help="the pictures it was proven on, where they were not kept"
    )
    return found


def main(argv: list[str], prover: Callable[[], AbstractContextManager[Prove]] | None = None) -> int:
    """Run the command; `prover` gives another place than a fresh process to make the checks in."""
    command, argv = _command(argv)
    started = time.monotonic()
    interrupt = Interrupt()

    def say(line: str) -> None:
        interrupt.check()
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    try:
        with interrupt.obeyed():
            answer = command(argv, prover or fresh_process, say, interrupt)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        # What the steps expect, they name themselves; left are a full disk and directories that vanish meanwhile.
        print(f"export: {error}", file=sys.stderr)
        return Unusable.exit_code
    except KeyboardInterrupt:
        print("export: stopped, nothing written", file=sys.stderr)
        return 130
    print(answer.text(time.monotonic() - started), flush=True)
    return 0


@contextmanager
def fresh_process() -> Iterator[Prove]:
    """The checks, made in a process that starts now."""
    with FreshProcess() as process:
        yield process.prove


def _request(argv: list[str]) -> tuple[Request, bool]:
    options = parser().parse_args(argv)
    name = options.name or options.output.resolve().name
    if not re.fullmatch(r"[\w.-]+", name):
        raise Unusable(f"model name {name!r} may hold letters, digits, '_', '-' and '.' only: choose one with --name")
    request = Request(
        **read_source_options(options),
        output=options.output,
        name=name,
        input_size=options.input_size,
        resize=options.resize,
        min_score=options.min_score,
        findings=None if options.findings is None else tuple(options.findings),
        pictures=options.pictures,
        keep_pictures=options.keep_pictures,
        frozen=options.frozen,
    )
    return request, options.if_changed


class Answer(Protocol):
    """What a command that went well has to say."""

    def text(self, seconds: float) -> str:
        """Lines for a person, or for a program that asked for them; `seconds` is how long the command took."""


@dataclass(frozen=True)
class Said:
    """An answer in so many words."""

    words: str

    def text(self, seconds: float) -> str:
        """The words."""
        return self.words


Prover = Callable[[], AbstractContextManager[Prove]]
Say = Callable[[str], None]
Command = Callable[[list[str], Prover, Say, Interrupt], Answer]


def _command(argv: list[str]) -> tuple[Command, list[str]]:
    if "--check" in argv:
        return _check, [argument for argument in argv if argument != "--check"]
    commands: dict[str, Command] = {"inspect": _inspect, "check": _check}
    if argv and argv[0] in commands:
        return commands[argv[0]], argv[1:]
    return _export, argv


def _inspect(argv: list[str], _prover: Prover, say: Say, interrupt: Interrupt) -> Answer:
    options = inspect_parser().parse_args(argv)

    def tensorflow() -> None:
        # On standard error: what is asked for, perhaps by a program, is on standard output.
        print("starting TensorFlow", file=sys.stderr, flush=True)
        with interrupt.put_off():
            import_tensorflow("looking into this file")

    inspection = inspect(options.path, tensorflow)
    return Said(inspection.json() if options.json else inspection.text())


def _check(argv: list[str], prover: Prover, say: Say, _interrupt: Interrupt) -> Answer:
    options = check_parser().parse_args(argv)
    exported = find(options.version)
    with prover() as prove:
        say(f"checking {exported.version} in a fresh process")
        return checkup(exported, options.pictures, prove, say)


def _export(argv: list[str], prover: Prover, say: Say, interrupt: Interrupt) -> Answer:
    request, if_changed = _request(argv)
    if if_changed and (version := request.already_exported()):
        return Said(f"{version} is up to date")
    source = request.source
    say(f"{source.kind} {source.path}, {len(source.files)} files, {megabytes(source.size)}")
    request.fingerprint  # noqa: B018  Reads every file: what cannot be read is said before TensorFlow is waited for.
    with staging(request.output) as staged, prover() as prove:
        if request.pictures is None:
            say("drawing pictures")
            # Before TensorFlow, not with it: the scene takes hundreds of megabytes while it is drawn.
            drawn_pictures()
        say("starting TensorFlow")
        with interrupt.put_off():
            export = _exporter()
        return export(request, staged, prove, say)


def _exporter() -> Callable[[Request, Path, Prove, Callable[[str], None]], Report]:
    # Here and no earlier: it takes seconds, and most of what can be wrong is known without it.
    import_tensorflow("an export")
    from sightline_export.exporter import export

    return export


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if match is None or not all(1 <= int(side) <= 8192 for side in match.groups()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form WIDTHxHEIGHT, as 640x480")
    return int(match[1]), int(match[2])


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no score between 0 and 1")
    return score
