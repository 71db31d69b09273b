"""`sightline archive`: what is kept, checked, pruned and given away by a person at a terminal."""

import argparse
import asyncio
import contextlib
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from streamer.archive.database import DatabaseAway
from streamer.archive.pictures import YOUNG
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.strays import Strays
from streamer.archive.terminal import prune
from streamer.archive.terminal.at_rest import AtRest
from streamer.archive.terminal.check import Found, check
from streamer.archive.terminal.export_span import export_span
from streamer.values.errors import ConfigError, SightlineError

Opens = Callable[[argparse.Namespace], AtRest]
"""Gives the archive that a command is about."""
Tell = Callable[[str], None]
"""Is told how far a command is, often; ends with what it is told last."""

_UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0}


def add_verbs(parser: argparse.ArgumentParser, opens: Opens, tell: Tell) -> None:
    """The verbs of `sightline archive`."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(word: str, does: Callable[[argparse.Namespace, AtRest, Tell], int], says: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(word, help=says, description=says)
        added.add_argument("--config", type=Path, metavar="FILE", help="the service's (default ./sightline.yaml)")
        added.set_defaults(run=partial(_run, does, opens, tell))
        return added

    checking = verb("check", _check, "say what is kept, and whether files and database agree; exit code 1: they do not")
    checking.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    checking.add_argument("--repair", action="store_true", help="forget recordings whose files are gone")
    pruning = verb("prune", _prune, "let go at once of what may go by the configuration; or of video that is older")
    pruning.add_argument(
        "--older-than", type=_days, metavar="3d", help="hours (h), days (d) or weeks (w): all such video"
    )
    pruning.add_argument("--stream", action="append", default=[], metavar="NAME", help="of this one; may be said again")
    pruning.add_argument("--without-events", action="store_true", help="leave the video of recorded events")
    exporting = verb("export", _export, "write a span of a stream into a folder: clips, their boxes, events, pictures")
    exporting.add_argument("folder", type=Path, metavar="FOLDER", help="made where it is not there, and empty else")
    exporting.add_argument("--stream", required=True, metavar="NAME")
    for option, says in (("--from", "such as 2026-11-29T14:00:00Z; UTC where no offset is said"), ("--to", "the same")):
        exporting.add_argument(option, type=_time, required=True, metavar="TIME", dest=option[2:] + "_", help=says)


def _run(
    does: Callable[[argparse.Namespace, AtRest, Tell], int], opens: Opens, tell: Tell, arguments: argparse.Namespace
) -> int:
    try:
        archive = opens(arguments)
        with contextlib.closing(archive.database):
            return does(arguments, archive, tell)
    except DatabaseAway as error:
        raise SightlineError(f"the archive cannot be used now: {error}") from None
    except OSError as error:
        raise SightlineError(f"{error.filename or 'the disk'}: {error.strerror or error}") from None


def _check(arguments: argparse.Namespace, archive: AtRest, tell: Tell) -> int:
    now = time.time()
    found = check(archive, now, tell)
    if arguments.repair and found.files_missing:
        strays = Strays(archive.database, archive.files, Held(), now - YOUNG)
        while not strays.is_done:
            strays.step()
        if not strays.found:
            raise SightlineError(f"none of the newest files is in {archive.files.folder}; is its disk mounted?")
        found = replace(found, files_missing=found.files_missing - strays.found)
    tell("")
    print(json.dumps(found.document(), indent=2) if arguments.json else _said(found))
    return 1 if found.faults else 0


def _said(found: Found) -> str:
    lines = [
        f"{each.stream}: {each.segments} segments of {_size(each.gigabytes * 1e9)},"
        f" {_when(each.began_at)} to {_when(each.ended_at)}"
        for each in found.streams
    ]
    lines.append(f"{found.events} events")
    wrong = (
        (found.files_missing, "recordings whose file is gone; --repair forgets them"),
        (found.files_unknown, "files of recordings that the index does not know; a service takes them in at its start"),
        (found.files_cut, "files of recordings of another size than the index says"),
        (found.unended, "recordings that never ended; a service ends them at its start"),
        (found.pictures_missing, "events whose picture is gone"),
        (found.pictures_unknown, "pictures of no event; a service removes them at its start"),
    )
    lines += [f"{count} {what}" for count, what in wrong if count]
    return "\n".join(lines if found.faults else [*lines, "files and database agree"])


def _prune(arguments: argparse.Namespace, archive: AtRest, tell: Tell) -> int:
    now = time.time()
    if arguments.older_than is None:
        if arguments.stream or arguments.without_events:
            raise ConfigError(
                "--stream and --without-events go with --older-than; without it, the configuration says all"
            )
        pruned = prune.as_configured(archive, now, tell)
    else:
        pruned = prune.older_than(
            archive, arguments.older_than, arguments.stream, now, tell, events=not arguments.without_events
        )
    tell("")
    gone = pruned.recordings
    print(
        f"removed {gone.segments} segments of {_size(gone.bytes)}, {pruned.events} events,"
        f" and the boxes of {pruned.boxes} segments that were gone"
    )
    return 0


def _export(arguments: argparse.Namespace, archive: AtRest, tell: Tell) -> int:
    began, ended = arguments.from_, arguments.to_
    if began >= ended:
        raise ConfigError("--to must be later than --from")
    done = asyncio.run(export_span(archive, arguments.stream, began, ended, arguments.folder, tell))
    tell("")
    video = f"{done.clips} clips of {done.seconds:.1f} s and {_size(done.size)}"
    print(f"{arguments.folder}: {video}, {done.events} events")
    if done.left_out:
        print(f"sightline: the files of {done.left_out} segments are not on this machine", file=sys.stderr)
    if not (done.clips or done.events):
        raise SightlineError(f"nothing of {arguments.stream} is kept from that span")
    return 0


def _size(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.2f} MB"


def _when(at: float | None) -> str:
    return "now" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}Z"


def _days(text: str) -> float:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; allowed are such as 12h, 3d and 2w")
    return int(found[1]) * _UNITS[found[2]]


def _time(text: str) -> float:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; allowed are such as 2026-11-29T14:00:00Z") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
