"""streamer.access.json_fetch: little, soon, and from where it was asked for."""

import asyncio
import gzip
import json
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from streamer.access import json_fetch
from streamer.access.json_fetch import MAX_BYTES, JsonFetch
from streamer.values.errors import Refused
from tests.access.issuer import answering
from tests.peers.certificates import make_certificate, server_context
from tests.peers.process import free_port


async def refusal(handler: object, path: str = "/x?code=secret") -> Refused:
    """What comes of asking a server that answers so."""
    async with answering(handler, free_port()) as url:
        with pytest.raises(Refused) as refused:
            await JsonFetch().get(url + path)
    assert "secret" not in str(refused.value)
    assert url in str(refused.value)
    return refused.value


async def test_a_mapping_is_what_is_fetched() -> None:
    """By GET with a bearer token, by POST with a form and a login; whatever a POST's status is."""
    seen: list[tuple[str, str | None, dict[str, object]]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers.get("Authorization"), dict(await request.post())))
        return web.json_response({"ä": 1}, status=200 if request.method == "GET" else 400)

    async with answering(answer, free_port()) as url:
        assert await JsonFetch().get(f"{url}/a", "tok") == {"ä": 1}
        assert await JsonFetch().post(f"{url}/b", {"c": "d e"}, ("u", "p")) == (400, {"ä": 1})
    assert seen == [("GET", "Bearer tok", {}), ("POST", "Basic dTpw", {"c": "d e"})]


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000, gzip.compress(b'{"a": 1}', mtime=0), b'"text"', b"null"]
)
async def test_what_is_no_mapping_is_refused(body: bytes) -> None:
    """Whatever is sent instead, compressed or not: 502 and a sentence."""

    async def answer(request: web.Request) -> web.Response:
        packed = {"Content-Encoding": "gzip"} if body.startswith(b"\x1f\x8b") else {}
        return web.Response(body=body, headers=packed)

    refused = await refusal(answer)
    assert refused.status == 502
    assert "no JSON mapping" in str(refused)


@pytest.mark.parametrize("chunked", [False, True])
async def test_more_than_there_can_be_is_not_taken(chunked: bool) -> None:
    """An answer without an end is left at its 256 KiB."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = 1 << 40
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65536)
        except ConnectionError:
            return response

    refused = await refusal(answer)
    assert refused.status == 502
    assert f"more than {MAX_BYTES >> 10} KiB" in str(refused)


async def test_it_is_not_sent_elsewhere() -> None:
    """A redirect is not followed: a code or a secret would go with it."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({}, status=302, headers={"Location": "/elsewhere"})

    refused = await refusal(answer)
    assert refused.status == 502
    assert "answers 302 at " in str(refused)
    assert asked == ["/x"]


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its seconds, and then it does not answer: 503, which says when to come again."""
    monkeypatch.setattr(json_fetch, "TIMEOUT", 0.05)

    async def answer(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    refused = await refusal(answer)
    assert (refused.status, refused.headers) == (503, {"Retry-After": "5"})
    assert "said nothing" in str(refused)


async def test_who_is_away_does_not_answer() -> None:
    """Nobody listens there, or there is no such host: 503 in a sentence."""
    for url, why in ((f"http://127.0.0.1:{free_port()}/a", "refused"), ("http://nowhere.invalid/a", "[Nn]ame")):
        with pytest.raises(Refused, match=f"the provider does not answer at {url}: .*{why}") as refused:
            await JsonFetch().get(url)
        assert refused.value.status == 503


async def test_its_certificate_must_be_signed_by_who_is_trusted(tmp_path: Path) -> None:
    """By whom the system knows, or by the configured authority alone."""
    authority = make_certificate("authority")
    tls = server_context(make_certificate("localhost", authority), tmp_path)

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"a": 1})

    app = web.Application()
    app.router.add_get("/a", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "localhost", port, ssl_context=tls).start()
    try:
        with pytest.raises(Refused, match=r"access\.oidc\.tls\.ca") as refused:
            await JsonFetch().get(f"https://localhost:{port}/a")
        assert refused.value.status == 503
        trusting = JsonFetch(ssl.create_default_context(cadata=authority.cert))
        assert await trusting.get(f"https://localhost:{port}/a") == json.loads('{"a": 1}')
    finally:
        await runner.cleanup()
