"""What the archive's database makes of this machine: events written alone and beside readers, and pages found.

The service's own code, in this process: one thread writes and others read, as they do there. There is no video beside
them, so that the figures are the database's.
"""

import random
import statistics
import threading
import time
from collections import ChainMap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streamer.archive import event_table
from streamer.archive.database import Database, DatabaseAway
from streamer.archive.query import Query
from streamer.archive.sqlite import Sqlite
from streamer.bench.bench_database import bench_database
from streamer.bench.bench_events import an_event, fill, questions
from streamer.bench.start import started
from streamer.tools.child import Say
from streamer.values.errors import SightlineError

READERS = 2
"""That ask without a pause beside who writes."""
ROUNDS = 5
"""Windows alone and beside readers, in turn."""
PER_SECOND = 50
"""Events written meanwhile, where pages are timed."""
QUESTIONS = 40
"""Of each kind."""


def measure_archive(state: Path, say: Say, *, seconds: float, events: int, database: str | None) -> dict[str, Any]:
    """A start with an archive; figures of SQLite, and of PostgreSQL where there is a server.

    Args:
        state: the folder SQLite's file is in meanwhile.
        say: told of each step.
        seconds: for which events are written, alone and beside readers.
        events: that are there before.
        database: address of a PostgreSQL server on which a database of its own is made, and dropped; None: without it.

    Raises:
        ConfigError: no database can be made there.
        SightlineError: a database failed meanwhile.
    """
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(dir=state, prefix="archive-"))
            file = Sqlite(Path(folder) / "bench.db")
            stack.callback(file.close)
            databases: dict[str, Database] = {"sqlite": file}
            if database is not None:
                databases["postgresql"] = stack.enter_context(bench_database(database))
            say("archive: the service started with one, without streams")
            figures = [started(Path(folder), archive={})]
            figures += [_figures(name, each, seconds, events, say) for name, each in databases.items()]
    except DatabaseAway as error:
        raise SightlineError(f"the database went away while it was measured: {error}") from None
    return dict(ChainMap(*figures))


def _figures(name: str, database: Database, seconds: float, events: int, say: Say) -> dict[str, Any]:
    say(f"archive: {events} events into {name}")
    chance = random.Random(1)
    fill(database, events, chance)
    if name == "postgresql":  # it does so by itself, within a minute; until then it guesses how many there are of what
        with database.writing() as cursor:
            cursor.run("ANALYZE")
    say("archive: events written alone, and beside readers, in turn")
    alone, beside = [], []
    for _ in range(ROUNDS):
        alone.append(_writes_per_second(database, chance, seconds / (2 * ROUNDS)))
        with _readers(database):
            beside.append(_writes_per_second(database, chance, seconds / (2 * ROUNDS)))
    say(f"archive: pages, while {PER_SECOND} events a second are written")
    with _written(database):
        taken = {kind: _milliseconds(database, ask) for kind, ask in questions(chance).items()}
    slowest = max(taken, key=lambda kind: _p95(taken[kind]))
    say(f"archive: the slowest pages are those of {slowest}")
    together = [each for of_kind in taken.values() for each in of_kind]
    return {
        f"{name}_writes_per_second": round(statistics.median(alone)),
        f"{name}_writes_beside_readers": round(statistics.median(beside)),
        f"{name}_share_beside_readers": round(
            statistics.median(with_ / without for with_, without in zip(beside, alone, strict=True)), 2
        ),
        f"{name}_page_ms_p50": round(statistics.median(together), 2),
        f"{name}_page_ms_p95": round(_p95(together), 2),
        f"{name}_slowest_page_ms_p95": round(_p95(taken[slowest]), 2),
    }


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _write_one(database: Database, chance: random.Random) -> None:
    with database.writing() as cursor:
        event_table.put(cursor, [(an_event(time.time(), chance), None)])


def _writes_per_second(database: Database, chance: random.Random, seconds: float) -> float:
    """Events, each in a transaction of its own, as they come one by one."""
    started = time.monotonic()
    for written in count(1):
        _write_one(database, chance)
        if (taken := time.monotonic() - started) >= seconds:
            return written / taken
    raise AssertionError


@contextmanager
def _meanwhile(do: Callable[[threading.Event], None], threads: int) -> Iterator[None]:
    """Do something in threads until what it is given is set, at the end of the block; what it raises is raised then."""
    over = threading.Event()
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(do, over) for _ in range(threads)]
        try:
            yield
        finally:
            over.set()
        for each in running:
            each.result()


@contextmanager
def _written(database: Database) -> Iterator[None]:
    """PER_SECOND events a second."""
    chance = random.Random(2)

    def write(over: threading.Event) -> None:
        began = time.monotonic()
        for number in count(1):
            _write_one(database, chance)
            if over.wait(max(0.0, began + number / PER_SECOND - time.monotonic())):
                return

    with _meanwhile(write, 1):
        yield


@contextmanager
def _readers(database: Database) -> Iterator[None]:
    """READERS that ask one page after the other."""

    def read(over: threading.Event) -> None:
        kinds = list(questions(random.Random(3)).values())
        while not over.is_set():
            for ask in kinds:
                _page(database, ask())

    with _meanwhile(read, READERS):
        yield


def _page(database: Database, query: Query) -> None:
    with database.reading() as cursor:
        event_table.page(cursor, query)


def _milliseconds(database: Database, ask: Callable[[], Query]) -> list[float]:
    taken = []
    for _ in range(QUESTIONS):
        query = ask()
        started = time.perf_counter()
        _page(database, query)
        taken.append(1000 * (time.perf_counter() - started))
    return taken
