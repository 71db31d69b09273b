"""`sightline detect`: from its options to its exit code."""

import argparse
import asyncio
import contextlib
import signal

from serving.signature import Contract
from streamer.annotate import words
from streamer.annotate.annotation import Annotation, Tally
from streamer.annotate.asking import Asking, Pace
from streamer.annotate.journal import Settings
from streamer.annotate.listing import Listing, listing_of
from streamer.annotate.options import Options, options_of
from streamer.annotate.output import OURS, Output
from streamer.annotate.printed import Printed
from streamer.annotate.reading import Failed
from streamer.annotate.shot import Look
from streamer.inference import credentials
from streamer.inference.model import frames_a_call
from streamer.inference.predictor import Predictor
from streamer.tools.child import Child
from streamer.tools.memory import keep_memory
from streamer.tools.model_server import stopped_in_the_end
from streamer.tools.progress import Progress
from streamer.values.clock import monotonic
from streamer.values.errors import ConfigError, SightlineError

MEETING = 15.0
"""Seconds a model server gets to answer at first."""
LOOK = 0.1
"""Seconds between two looks whether it does."""
OWN_IN_FLIGHT = 4
"""Calls at once at a server that nobody else asks: two run there, and one waits behind each."""


def run(arguments: argparse.Namespace) -> int:
    """Look at all that is given; gives the exit code.

    Raises:
        ConfigError: what is asked for cannot be had, or nothing that is given can be read.
        SightlineError: the model server went, or nothing can be written; what is done is kept.
    """
    return Detection(options_of(arguments)).run()


class Detection:
    """The command, once."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._progress = Progress()
        self._children: list[Child] = []
        self._tally = Tally()
        self._began_at = self._seconds = 0.0

    def run(self) -> int:
        """Everything; leaves no process behind."""
        options = self._options
        options.server.require_usable()
        keeper = Printed(options.wish.form) if options.output is None else Output(options.output, options.wish)
        with contextlib.closing(keeper):
            listing = self._listing(keeper)
            for path, why in listing.refused:
                self._say_failed(Failed(path, why))
            if not listing.files:
                raise ConfigError(words.nothing(listing))
            try:
                with stopped_in_the_end(self._children):
                    address = options.server.met(self._children, self._progress)
                    keep_memory()
                    asyncio.run(self._annotate(address, listing, keeper))
            except (KeyboardInterrupt, asyncio.CancelledError):
                self._progress.say(words.interrupted(self._tally, kept=self._options.output is not None))
                return 130
            except SightlineError:
                self._progress.end()
                raise
        self._progress.say(words.done(self._tally, listing, self._seconds, options.output))
        if not self._tally.failed and not listing.refused:
            return 0
        return 1 if self._tally.done + self._tally.known else 2

    def _listing(self, keeper: Output | Printed) -> Listing:
        options = self._options
        without = [] if options.output is None else [options.output / name for name in OURS]
        listing = listing_of(options.given, recursive=options.recursive, without=without)
        listing.files = [given for given in listing.files if not keeper.is_ours(given.path)]
        return listing

    async def _annotate(self, address: str, listing: Listing, keeper: Output | Printed) -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None  # noqa: S101  it is one
        for number in (signal.SIGINT, signal.SIGTERM):  # between two steps, and not in the midst of one
            loop.add_signal_handler(number, task.cancel)
        serving, tls = self._options.serving, self._options.serving.tls
        predictor = Predictor(
            address,
            serving.model,
            clock=monotonic,
            credentials=None if tls is None else credentials.read(**tls.model_dump()),
        )
        watching = asyncio.create_task(predictor.run())
        try:
            contract = await self._meet(predictor)
            least = self._options.thresholds.of(contract)
            if isinstance(keeper, Output):
                keeper.journal.begin(self._settings(predictor, contract, least), anew=self._options.anew)
            keeper.begin(contract.labels)
            annotation = Annotation(
                Asking(predictor, self._pace(contract), monotonic, self._require_alive),
                Look(contract, min(least.values(), default=1.0), self._options.tiles, self._options.every),
                least,
                keeper,
                on_failed=self._say_failed,
                on_progress=lambda tally: self._progress.count(words.going(tally, len(listing.files), self._passed())),
            )
            self._tally = annotation.tally
            self._began_at = monotonic()
            await annotation.run(listing.files)
            self._seconds = self._passed()
            await asyncio.to_thread(keeper.finish, changed=self._tally.done > 0)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await predictor.close()

    async def _meet(self, predictor: Predictor) -> Contract:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MEETING):
                while not predictor.up or predictor.contract is None:  # it tells nobody that it is there
                    await asyncio.sleep(LOOK)
                    self._progress.count(f"waiting: {predictor.reason or 'the model was not met yet'}")
        if not predictor.up or predictor.contract is None:
            raise ConfigError(predictor.reason or "the model does not answer")
        return predictor.contract

    def _settings(self, predictor: Predictor, contract: Contract, least: dict[str, float]) -> Settings:
        return {
            "model": predictor.model,
            "version": predictor.version,
            "classes": {str(class_id): label for class_id, label in sorted(contract.labels.items())},
            "min_score": least,
            "every": self._options.every,
            "tiles": self._options.tiles,
        }

    def _pace(self, contract: Contract) -> Pace:
        serving = self._options.serving
        own = self._options.server.address is None
        batch = min(serving.max_batch_size, frames_a_call(contract))
        return Pace(batch, OWN_IN_FLIGHT if own else serving.in_flight)

    def _passed(self) -> float:
        return monotonic() - self._began_at

    def _require_alive(self) -> None:
        for child in self._children:
            child.require_alive()

    def _say_failed(self, failed: Failed) -> None:
        self._progress.say(f"{words.shown(failed.path)}: {failed.why}")
