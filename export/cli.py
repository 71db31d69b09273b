"""`python -m export` and `sightline export`: arguments in, one model out.

Exit code 0: exported, or nothing to do. 1: a check failed. 2: something given cannot be used. After 1 and 2 the output
directory is as it was.
"""

import argparse
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NoReturn

from export.check import Prove
from export.errors import ExportError, Unusable
from export.fresh_process import FreshProcess
from export.report import Report, megabytes
from export.request import Request
from export.silence import silence
from export.source import BUNDLED_BUILDER, BUNDLED_CHECKPOINT, READABLE, Kind, recognise
from export.versions import staging

EPILOG = """\
examples:
  python -m export --output models/served/insulators
  python -m export frozen_inference_graph.pb --labels label_map.pbtxt --output models/served/voc
  python -m export runs/7/ckpt-12 --builder mypackage.network:build --output models/served/mine
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Unusable(message)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = _Parser(
        prog="python -m export",
        description="Turn a trained detector into a SavedModel that TensorFlow Serving and Sightline load as it is.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("source", nargs="?", type=Path, metavar="SOURCE", help=f"{READABLE}; the bundled checkpoint if left out")
    add("--output", type=Path, required=True, metavar="MODELS/NAME", help="the model's directory; versions go inside")
    add("--labels", type=Path, metavar="FILE", help="label map: .pbtxt, .txt (a name a line) or .json")
    add("--builder", metavar="package.module:function", help="the code that builds a TF2 checkpoint's network")
    add("--name", help="the name it is served under (default: the last part of --output)")
    add("--input-size", type=_size, metavar="WIDTHxHEIGHT", help="the model's input (default: what the source says)")
    add("--resize", choices=("letterbox", "stretch"), help="how a frame becomes that input (default: as the source)")
    add("--min-score", type=_score, metavar="S", help="0..1, the score above which a detection is to be believed")
    add("--pictures", type=Path, metavar="DIR", help="pictures for the checks (default: generated ones)")
    add("--if-changed", action="store_true", help="do nothing if the newest version was made from the same input")
    return found


def main(argv: list[str], prover: Callable[[], AbstractContextManager[Prove]] | None = None) -> int:
    """Run the command; `prover` gives another place than a fresh process to make the checks in."""
    started = time.monotonic()
    interrupt = _Interrupt()

    def say(line: str) -> None:
        interrupt.check()
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    try:
        with interrupt.obeyed():
            request, if_changed = _request(argv)
            if if_changed and (version := request.already_exported()):
                print(f"{version} is up to date")
                return 0
            report = _export(request, prover or fresh_process, say, interrupt)
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
    print(report.text(time.monotonic() - started), flush=True)
    return 0


@contextmanager
def fresh_process() -> Iterator[Prove]:
    """The checks, made in a process that starts now."""
    with FreshProcess() as process:
        yield process.prove


def _request(argv: list[str]) -> tuple[Request, bool]:
    options = parser().parse_args(argv)
    bundled = options.source is None
    source = recognise(BUNDLED_CHECKPOINT if bundled else options.source)
    builder = options.builder or (BUNDLED_BUILDER if bundled else None)
    if builder and source.kind is not Kind.CHECKPOINT:
        raise Unusable(f"--builder is for checkpoints; {source.path} is a {source.kind}")
    name = options.name or options.output.resolve().name
    if not re.fullmatch(r"[\w.-]+", name):
        raise Unusable(f"model name {name!r} may hold letters, digits, '_', '-' and '.' only: choose one with --name")
    request = Request(
        source=source,
        output=options.output,
        name=name,
        labels=options.labels,
        builder=builder,
        input_size=options.input_size,
        resize=options.resize,
        min_score=options.min_score,
        pictures=options.pictures,
    )
    return request, options.if_changed


def _export(
    request: Request,
    prover: Callable[[], AbstractContextManager[Prove]],
    say: Callable[[str], None],
    interrupt: "_Interrupt",
) -> Report:
    source = request.source
    say(f"{source.kind} {source.path}, {len(source.files)} files, {megabytes(source.size)}")
    request.fingerprint  # noqa: B018  Reads every file: what cannot be read is said before TensorFlow is waited for.
    with staging(request.output) as staged, prover() as prove:
        say("starting TensorFlow")
        with interrupt.put_off():
            export = _exporter()
        return export(request, staged, prove, say)


def _exporter() -> Callable[[Request, Path, Prove, Callable[[str], None]], Report]:
    # Here and no earlier: it takes seconds, and most of what can be wrong is known without it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silence():
            import tensorflow as tf

            from export.exporter import export

            tf.config.list_physical_devices()  # looks for a GPU, and where there is none says so at length
    except ModuleNotFoundError as error:
        raise Unusable(f"an export needs TensorFlow, pip install 'sightline[model]': {error}") from error
    return export


class _Interrupt:
    """Ctrl-C and SIGTERM, both obeyed by cleaning up, and neither ever lost.

    An exception that a signal raises anywhere may be swallowed by code that was not written for it: TensorFlow's import
    turns it into an ImportError, a destructor prints it and goes on. So it is also remembered, and raised again at the
    next step.
    """

    def __init__(self) -> None:
        self._asked = False
        self._put_off = False

    @contextmanager
    def obeyed(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in this block for both signals; where signals cannot be had, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Let this block end first: seconds in which nothing can be interrupted cleanly."""
        self._put_off = True
        try:
            yield
        finally:
            self._put_off = False
            self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came, whoever swallowed it."""
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, _number: int, _frame: object) -> None:
        first, self._asked = not self._asked, True
        if first and not self._put_off:  # a second one would break off the cleaning up
            raise KeyboardInterrupt


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
