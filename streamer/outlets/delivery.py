"""One outlet's notifications, brought to it by its sender: in order a stream, again and again until it has them.

At least once: one that was told and not noted as told, because the process ended between the two, is told again under
the same id.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Literal

from streamer.outlets.outbox import Outbox
from streamer.outlets.patience import (
    LONGEST_PAUSE,
    LONGEST_SAID,
    UNWELCOME_ATTEMPTS,
    as_asked,
    is_given_up,
    pause_after,
)
from streamer.outlets.sender import Sender, Undelivered, Unwelcome
from streamer.outlets.standing import Standing
from streamer.values.clock import Clock
from streamer.values.ending import ended
from streamer.values.errors import Overloaded
from streamer.values.event import Picture
from streamer.values.notification import Notification
from streamer.values.outlet import OutletState
from streamer.values.uuid7 import uuid7

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Streams that are told of at a time; one while the receiver fails."""
WINDOW = 100
"""Notifications that are looked at for that."""
RECALLED_AFTER = 3
"""Failures in a row, after whose end those that wait for their next attempt wait no longer."""
DRAWN = 3.0
"""Seconds from an alert in which its picture is drawn, or is not. It takes about one."""
LOOK = 0.25
"""Seconds between two looks for it."""
SOON = 0.01
"""Seconds that are waited at the least for what is not due yet: clocks differ by less."""
WHENEVER = 1e9
"""Seconds from now, before which everything is due."""
UNFORESEEN = "it could not be told in a way nobody foresaw; the log has the details"


class Delivery:
    """One outlet's. Others have theirs, and wait for nothing of this one."""

    def __init__(
        self,
        name: str,
        sender: Sender,
        outbox: Outbox,
        *,
        kind: Literal["webhook", "mqtt"],
        place: str,
        recipe: str | None = None,
        clock: Clock,
        wall: Clock,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """Bring nothing yet.

        Args:
            name: the outlet's.
            sender: brings one notification there.
            outbox: what waits.
            kind: what the outlet is.
            place: its host.
            recipe: in whose words it is told; None: it is the broker.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            dice: gives 0 to 1.
        """
        self.name = name
        state = OutletState(name, kind, place, recipe)
        self._standing = Standing(state, clock=clock, wall=wall, dice=dice)
        self._sender, self._outbox = sender, outbox
        self._wall, self._dice = wall, dice
        self._at: dict[str, asyncio.Task[None]] = {}
        """Streams that are being told of."""
        self._wake = asyncio.Event()
        self._recalls = False
        """Those that wait for their next attempt are due now."""
        self._testing = asyncio.Lock()

    @property
    def state(self) -> OutletState:
        """How it fares."""
        return self._standing.state

    async def run(self) -> None:
        """Bring what waits and what comes, until cancelled."""
        self._outbox.on_filled(self.name, self._wake.set)
        try:
            while True:
                self._wake.clear()
                try:
                    pause = await self._begin()
                except Overloaded as error:  # the archive is away
                    pause = float(error.retry_after)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            tasks = list(self._at.values())
            for task in tasks:
                task.cancel()
            await ended(f"outlet {self.name}", *tasks)
            self._at.clear()  # one that was cancelled before it began took no note of its end

    def retry_now(self) -> None:
        """The receiver is back, as somebody knows: wait no longer."""
        self._standing.resume()
        self._recalls = True
        self._wake.set()

    async def test(self) -> None:
        """Bring it a notification that says so, now. An outlet that has it is on again, and fails no more.

        Raises:
            Undelivered: why it has it not.
            Overloaded: another is on its way.
        """
        if self._testing.locked():
            raise Overloaded(f"{self.name} is being tested already")
        async with self._testing:
            now = self._wall()
            await self._attempt(Notification(uuid7(now), 0, self.name, "test", "", None, {}, now, queued_at=now), None)
            self._succeeded()

    # ---- which

    async def _begin(self) -> float | None:
        """Begin what may be begun; seconds until there may be more, None: until something happens."""
        if len(self._at) >= AT_ONCE:
            return None
        later = WHENEVER if self._recalls else 0.0
        at = tuple(self._at)
        letters = await self._outbox.due(self.name, self._wall() + later, WINDOW, at)
        if not letters:
            self._recalls = False
        for letter in self._chosen(letters):
            self._at[letter.stream] = asyncio.create_task(self._tell(letter), name=f"outlet {self.name}")
        if self._standing.is_off:
            return LONGEST_PAUSE
        if self._standing.pause > 0:
            return self._standing.pause
        if len(self._at) >= self._most:
            return None
        due_at = await self._outbox.next_due(self.name, tuple(self._at))
        if due_at is None:
            return None
        left = due_at - self._wall()
        self._recalls = self._recalls or left > LONGEST_SAID  # nobody waits so long: the clock was put back
        return SOON if self._recalls else max(SOON, left)

    def _chosen(self, letters: Sequence[Notification]) -> Iterable[Notification]:
        """Of those that are due the ones to begin with."""
        found = {letter.stream: letter for letter in reversed(letters) if letter.stream not in self._at}
        first = sorted(found.values(), key=lambda letter: letter.number)
        if self._standing.pause > 0 or self._standing.is_off:
            # What is too old need not wait for an attempt that is not made.
            first = [letter for letter in first if self._is_given_up(letter)]
            return first[: max(0, AT_ONCE - len(self._at))]
        if self._standing.failures:  # not always the same one: it may be what the receiver fails at
            first.sort(key=lambda letter: letter.attempts)
        return first[: max(0, self._most - len(self._at))]

    @property
    def _most(self) -> int:
        return 1 if self._standing.failures else AT_ONCE

    def _is_given_up(self, letter: Notification) -> bool:
        return is_given_up(self._wall() - letter.queued_at, letter.attempts, self._standing.failing)

    # ---- one

    async def _tell(self, letter: Notification) -> None:
        """Bring one there, and note what came of it. The next of its stream waits for that."""
        try:
            if self._is_given_up(letter):
                await self._give_up(letter, letter.error or self.state.error or "it waited for a day")
                return
            try:
                await self._attempt(letter, await self._picture_of(letter))
            except Undelivered as failure:
                await self._failed(letter, failure)
            else:
                self._succeeded()
                await self._noted(partial(self._outbox.sent, [letter.number]))
        except Exception:
            log.exception("what %s was told could not be noted in a way nobody foresaw", self.name)
            self._standing.failed(Undelivered(UNFORESEEN))  # it is due still, and must not be tried in a circle
        finally:
            del self._at[letter.stream]
            self._wake.set()

    async def _attempt(self, letter: Notification, picture: Picture | None) -> None:
        """Where it is not taken with its picture, at once without.

        Raises:
            Undelivered: why the receiver has it not.
        """
        try:
            try:
                await self._sender.send(letter, picture)
            except Unwelcome:
                if picture is None:
                    raise
                await self._sender.send(letter, None)
        except Undelivered:
            raise
        except Exception:
            log.exception("%s could not be told in a way nobody foresaw", self.name)
            raise Undelivered(UNFORESEEN) from None

    async def _picture_of(self, letter: Notification) -> Picture | None:
        """The event's. One that has just begun is waited for until its picture is drawn, or is not."""
        event = letter.event.get("id")
        if not self._sender.wants_picture or not isinstance(event, str):
            return None
        is_new = letter.kind in ("alert", "event_began")
        # Nor is a disk waited for that hangs, or a database that is away.
        with contextlib.suppress(Overloaded, TimeoutError):
            async with asyncio.timeout(DRAWN):
                while True:
                    picture = await self._outbox.picture(event)
                    if picture is not None or not is_new or self._wall() - letter.made_at >= DRAWN:
                        return picture
                    await asyncio.sleep(LOOK)
        return None

    def _succeeded(self) -> None:
        self._recalls = self._standing.took() >= RECALLED_AFTER or self._recalls
        self._wake.set()

    async def _failed(self, letter: Notification, failure: Undelivered) -> None:
        """Have it wait, or give it up."""
        attempts, error, is_unwelcome = letter.attempts + 1, str(failure), isinstance(failure, Unwelcome)
        self._standing.failed(failure)
        self._recalls = self._recalls and is_unwelcome
        if is_unwelcome and attempts >= UNWELCOME_ATTEMPTS:
            await self._give_up(letter, error)
            return
        pause = pause_after(attempts, self._dice)
        if failure.retry_after is not None:
            pause = max(pause, as_asked(failure.retry_after))
        self._standing.retried()
        await self._noted(partial(self._outbox.postponed, letter.number, self._wall() + pause, error))

    async def _give_up(self, letter: Notification, error: str) -> None:
        self._standing.gave_up(error)
        await self._noted(partial(self._outbox.dead, letter.number, error))

    async def _noted(self, note: Callable[[], Awaitable[None]]) -> None:
        """Have the outbox know, however long that takes: what is not noted is told again."""
        while True:
            try:
                return await note()
            except Overloaded as error:
                await asyncio.sleep(error.retry_after)
