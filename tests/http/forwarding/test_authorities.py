"""streamer.http.forwarding.authorities: replicas that are reached over HTTPS, and who vouches for them."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from streamer import config
from streamer.http.forwarding.authorities import authorities
from streamer.service import Service
from streamer.values.errors import ConfigError
from streamer.values.replica import Replica
from tests.peers.certificates import make_certificate, server_context


@asynccontextmanager
async def run_https(context: ssl.SSLContext) -> AsyncIterator[Replica]:
    """A replica at localhost."""

    async def answers(request: web.BaseRequest) -> web.Response:
        return web.Response(text="there")

    runner = web.ServerRunner(web.Server(answers))
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=context).start()
    try:
        yield Replica("there", f"https://localhost:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


def a_service(ca: Path | None) -> Service:
    """A replica's, that is not started."""
    cluster = {"nats": "nats://127.0.0.1:4222", "url": "https://localhost:1", "key": "k" * 32, "replica": "here"}
    tls = {} if ca is None else {"tls": {"ca": str(ca)}}
    document = {"serving": {"address": "127.0.0.1:5000"}, "streams": {}, "cluster": {**cluster, **tls}}
    return Service(config.parse(document))


async def test_a_replica_is_believed_by_the_authority_that_is_configured(tmp_path: Path) -> None:
    """One of our own that signed for it, which `cluster.tls.ca` names; without that it is refused."""
    ours = make_certificate("an authority")
    (tmp_path / "ca.pem").write_text(ours.cert)
    async with run_https(server_context(make_certificate("localhost", ours), tmp_path)) as there:
        for ca, is_believed in ((tmp_path / "ca.pem", True), (None, False)):
            neighbours = a_service(ca).neighbours
            assert neighbours is not None
            try:
                async with neighbours.get(there, "/") as answer:
                    assert (await answer.text(), is_believed) == ("there", True)
            except aiohttp.ClientConnectorCertificateError:
                assert not is_believed
            finally:
                await neighbours.close()


@pytest.mark.parametrize(("text", "sentence"), [(None, "cannot be read: No such file"), ("none", "no certificate")])
def test_one_that_is_none_is_said_at_the_start(tmp_path: Path, text: str | None, sentence: str) -> None:
    """With the key that names it."""
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    with pytest.raises(ConfigError, match=rf"cluster\.tls\.ca: .*{sentence}"):
        authorities(str(tmp_path / "ca.pem"))
