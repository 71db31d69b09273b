"""Where the archive is asked: in threads, once its database is open. One that cannot answer now is `Overloaded`."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from streamer.archive.database import BadRow, Cursor, Database, DatabaseAway
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError, Overloaded

T = TypeVar("T")


class Desk:
    """One room's."""

    def __init__(
        self,
        database: Database,
        *,
        reading: Errands,
        writing: Errands,
        opened: asyncio.Event,
        unopened: Callable[[], str | None],
    ) -> None:
        """Join it.

        Args:
            database: that is asked.
            reading: threads that read.
            writing: the one thread that writes.
            opened: set once the database is open.
            unopened: why it is not, as a clause; None: it is being opened.
        """
        self._database, self._reading, self._writing = database, reading, writing
        self._opened, self._unopened = opened, unopened

    async def read(self, question: Callable[[Cursor], T]) -> T:
        """What a question gives, within a transaction."""

        def ask() -> T:
            with self._database.reading() as cursor:
                return question(cursor)

        return await self._told(self._reading, ask)

    async def change(self, change: Callable[[Cursor], T]) -> T:
        """What a change gives, within a transaction, which is kept by then."""

        def write() -> T:
            with self._database.writing() as cursor:
                return change(cursor)

        return await self._told(self._writing, write)

    async def write(self, errand: Callable[[], T]) -> T:
        """What an errand gives that has transactions of its own, in the thread that writes."""
        return await self._told(self._writing, errand)

    async def _told(self, errands: Errands, errand: Callable[[], T]) -> T:
        if not self._opened.is_set():
            raise Overloaded(f"the archive cannot be used now: {self._unopened() or 'it is being opened'}", 10)
        try:
            return await errands.run(errand)
        except DatabaseAway as error:
            raise Overloaded(f"the archive cannot be used now: {error}", 10) from None
        except BadRow as error:  # a lone surrogate, or what one of both databases has no text for
            raise ConfigError(f"no archive can hold that: {error}") from None
