"""Alerts that a service finds in its archive when it starts, and somebody at this machine who is told."""

from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from streamer.archive.alerts import outbox_table, silence_table
from streamer.archive.alerts.judge import Judge
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.sqlite import Sqlite
from streamer.values.alert import Silence, Telling
from streamer.values.event import Event
from tests.peers.process import free_port
from tests.web.kept import a_picture_of


def keep(
    folder: Path,
    events: Sequence[Event],
    telling: Telling,
    *,
    outlets: Sequence[str],
    given_up: str = "",
    silences: Sequence[Silence] = (),
) -> None:
    """Put events with their pictures into the archive of that folder, judged as the service does it.

    Args:
        folder: of the archive.
        events: the oldest first; each is kept by itself.
        telling: the rules they are judged by.
        outlets: that there are.
        given_up: of one of these outlets all letters are dead.
        silences: in force while they come.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database, pictures = Sqlite(folder / "sightline.db"), Pictures(folder / "pictures")
    now = [0.0]
    judge = Judge(lambda: now[0])
    judge.by = telling, tuple(outlets)
    try:
        migrate(database)
        with database.writing() as cursor:
            for silence in silences:
                silence_table.put(cursor, silence)
        for event in events:
            now[0] = event.last_at
            picture = a_picture_of(event)
            pictures.write(event, picture)
            with database.writing() as cursor:
                judge.put(cursor, [(event, picture)])
        with database.writing() as cursor:
            while letters := outbox_table.due(cursor, given_up, now[0], len(events)):
                for letter in letters:
                    outbox_table.bury(cursor, letter.number, "it answered 500", now[0])
    finally:
        database.close()


class Receiver:
    """Takes what it is told, or answers 500."""

    def __init__(self) -> None:
        self.port = free_port()
        self.told: list[tuple[str, bytes]] = []
        """Path and body of what it took."""
        self.refuses: set[str] = set()
        """Paths at which it takes nothing."""
        self._runner: web.AppRunner | None = None

    def url(self, path: str) -> str:
        """Where it is told."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post("/{name}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path in self.refuses:
            return web.Response(status=500)
        self.told.append((request.path, body))
        return web.Response(status=204)
