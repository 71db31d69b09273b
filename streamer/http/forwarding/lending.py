"""An archive that reads what lies with other replicas: joined to an application of a cluster that keeps something."""

import asyncio

from aiohttp import web

from streamer.archive.archive import Archive
from streamer.http.forwarding.neighbours import NEIGHBOURS
from streamer.http.forwarding.other_disks import NeighbourDisks


def set_up(app: web.Application, archive: Archive) -> None:
    """Have it ask the others, once there is a loop to ask them on."""

    async def joined(app: web.Application) -> None:
        archive.reads_from(NeighbourDisks(app[NEIGHBOURS], asyncio.get_running_loop()))

    app.on_startup.append(joined)
