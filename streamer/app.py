"""A service behind its HTTP port: opened, announced, and closed when a signal says so."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from streamer.config import Config
from streamer.entrance import require_a_door
from streamer.http.listener import Listener, bind
from streamer.service import Service
from streamer.tools.terminal import Terminal
from streamer.values.ending import ended
from streamer.values.errors import ConfigError

if TYPE_CHECKING:
    from streamer.http.served_certificate import ServedCertificate

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT = 1.0
"""Seconds viewers' connections get to end by themselves, and as many again once they are told to."""


async def serve(config: Config, path: Path, ready: Callable[[str], None]) -> None:
    """Run the service until SIGINT or SIGTERM; SIGHUP has it read its configuration again.

    Args:
        config: what to run.
        path: the file it stands in, which is followed.
        ready: told the URL once the port is open.

    Raises:
        ConfigError: the port cannot be had.
    """
    stop, terminal = asyncio.Event(), Terminal()

    def hang_up() -> None:
        if terminal.is_gone():
            stop.set()
        else:
            service.read_again()

    with _told({signal.SIGINT: stop.set, signal.SIGTERM: stop.set, signal.SIGHUP: hang_up}):
        service = Service(config, path=path)
        require_a_door(config, service.entrance)
        # Before anything runs: who finds the port taken asks no model, and opens no archive that is another's.
        with contextlib.closing(await _bound(config)) as port:
            async with service.run() as application:
                await _serve(service, application, port, ready, stop)


async def _serve(
    service: Service, application: web.Application, port: "_Port", ready: Callable[[str], None], stop: asyncio.Event
) -> None:
    # Cancelled when the client leaves: a viewer of a stream without pictures would not be missed otherwise.
    runner = web.AppRunner(application, shutdown_timeout=SHUTDOWN_TIMEOUT, handler_cancellation=True)
    listener: Listener | None = None
    try:
        await runner.setup()
        listener = _listen(runner, service, port)
        ready(port.url)
        gc.freeze()  # what is here now stays; collections need not walk it again
        await stop.wait()
    finally:
        await ended("the hand-over", service.hand_over())
        # Streams first: their endless responses end, and the server need not wait for them.
        await ended("the streams", service.streams.close())
        if listener is not None:
            await ended("the port", listener.close())
        await ended("the server", runner.cleanup())


@contextlib.contextmanager
def _told(of: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Have these called on signals, for as long as the block lasts."""
    loop = asyncio.get_running_loop()
    try:
        for number, told in of.items():
            loop.add_signal_handler(number, told)
        yield
    finally:
        for number in of:
            loop.remove_signal_handler(number)


@dataclass(frozen=True, slots=True)
class _Port:
    """Sockets that listen, and what is served there; nobody takes their connections yet."""

    sockets: list[socket.socket]
    certificate: "ServedCertificate | None"
    url: str

    def close(self) -> None:
        for each in self.sockets:
            each.close()


async def _bound(config: Config) -> _Port:
    """Take the port.

    Raises:
        ConfigError: it cannot be had, or what HTTPS is served with cannot be used.
    """
    host, port = config.server.host, config.server.port
    tls = config.server.tls
    certificate = None if tls is None else _certificate(tls.cert, tls.key)
    try:
        sockets = await bind(host, port)
    except OSError as error:
        raise ConfigError(f"server: cannot listen on {host}:{port}: {_why(error)}") from None
    url = f"{'http' if tls is None else 'https'}://{_shown(host)}:{sockets[0].getsockname()[1]}"
    return _Port(sockets, certificate, url)


def _certificate(cert: str, key: str) -> "ServedCertificate":
    from streamer.http.served_certificate import ServedCertificate  # which brings cryptography

    return ServedCertificate(Path(cert), Path(key))


def _listen(runner: web.AppRunner, service: Service, port: _Port) -> Listener:
    """Take connections there, from now on."""
    assert runner.server is not None  # noqa: S101  after setup
    service.metrics.certificate = port.certificate
    return Listener(
        port.sockets,
        runner.server,
        service.connections,
        service.shortage,
        certificate=port.certificate,
        on_restart=service.metrics.restarted,
    )


def _why(error: OSError) -> str:
    """The system's own words: asyncio wraps them in a longer sentence that says host and port again."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


def _shown(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
