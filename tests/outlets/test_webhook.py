"""streamer.outlets.webhook.webhook: one request to an address that was judged, and what comes of it."""

import asyncio
import gc
import json
import logging
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook as StandardWebhook

from streamer.config.webhook import WebhookSettings
from streamer.outgoing import destinations
from streamer.outlets.sender import Gone, Undelivered, Unwelcome
from streamer.outlets.webhook import webhook as module
from streamer.outlets.webhook.letter import PictureLinks
from streamer.outlets.webhook.signature import key_of
from streamer.outlets.webhook.webhook import Receiver, Webhook
from streamer.values import url as urls
from streamer.values.errors import SourceError
from tests.outlets.memory_outbox import PICTURE, told
from tests.peers.certificates import make_certificate, server_context
from tests.peers.clock import FakeClock
from tests.peers.listener import run_listener
from tests.peers.receiver import Told, answering, run_receiver

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def anywhere(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, whatever they are."""
    return destinations(WebhookSettings(url="http://x.example", networks=["127.0.0.0/8", "::1/128"])).addresses(
        host, port
    )


async def no_links(*_: str) -> PictureLinks | None:
    return None


def to(url: str, **said: object) -> Webhook:
    """One receiver's, on this machine."""
    return Webhook(Receiver(url, **said), anywhere, no_links, time.time)  # type: ignore[arg-type]


async def failure(webhook: Webhook) -> Undelivered:
    """Why it was not told."""
    with pytest.raises(Undelivered) as failed:
        await webhook.send(told(), None)
    return failed.value


async def test_what_is_told_is_one_document_signed() -> None:
    """The reference implementation of Standard Webhooks takes the signature, and the headers are a CloudEvent's."""
    async with run_receiver() as receiver:
        await to(receiver.url("/hook?x=1"), key=key_of(SECRET), base="https://cam.example").send(told(), None)
    (request,) = receiver.told
    assert (request.method, request.path) == ("POST", "/hook?x=1")
    document = StandardWebhook(SECRET).verify(request.body, dict(request.headers))
    assert document == json.loads(request.body)
    assert request.headers["webhook-id"] == document["id"] == request.headers["ce-id"]
    assert request.headers["Content-Type"] == "application/json"
    ce = {key.lower(): value for key, value in request.headers.items() if key.lower().startswith("ce-")}
    assert ce.pop("ce-id")
    assert ce == {
        "ce-specversion": "1.0",
        "ce-type": "sightline.alert",
        "ce-time": "2027-01-15T08:00:00.000Z",
        "ce-source": "https://cam.example/api/streams/yard",
        "ce-subject": "yard",
    }


async def test_a_picture_comes_inline_beside_it_or_as_a_link() -> None:
    """As the configuration has it: base64 in the document, a part of a form, or links that expire."""

    async def links(stream: str, event: str) -> PictureLinks:
        return PictureLinks(f"https://cam.example/{stream}/{event}", "https://cam.example/small", 1_800_086_400)

    async with run_receiver() as receiver:
        await to(receiver.url(), form="inline").send(told(), PICTURE)
        await Webhook(Receiver(receiver.url(), form="link"), anywhere, links, FakeClock(1.8e9)).send(told(), PICTURE)
        await to(receiver.url(), form="multipart").send(told(), PICTURE)
        await to(receiver.url(), form="multipart").send(told(), None)
    inline, link, multipart, bare = receiver.told
    assert json.loads(inline.body)["picture"] == {"type": "image/jpeg", "base64": "/9ggYW4gaW1hZ2Ug/9k="}
    assert json.loads(inline.body)["event"]["has_picture"] is True
    assert json.loads(link.body)["picture"] == {
        "type": "image/jpeg",
        "url": "https://cam.example/yard/019ad000-0000-7000-8000-000000000001",
        "thumbnail_url": "https://cam.example/small",
        "expires_at": 1_800_086_400,
    }
    assert multipart.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert PICTURE.image in multipart.body
    assert b'name="notification"' in multipart.body
    assert json.loads(bare.body)["picture"] is None


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (500, Undelivered, "it answers 500"),
        (404, Undelivered, "it answers 404"),
        (429, Undelivered, "it answers 429"),
        (410, Gone, "it wants nothing any more"),
        (400, Unwelcome, "it answers 400"),
        (413, Unwelcome, "it answers 413"),
        (415, Unwelcome, "it answers 415"),
        (422, Unwelcome, "it answers 422"),
        (302, Undelivered, "leads elsewhere, which is not followed"),
    ],
)
async def test_answers_mean_what_http_says(status: int, kind: type[Undelivered], words: str) -> None:
    """Nobody follows a redirect: where it leads, nobody judged."""
    async with run_receiver() as receiver:
        receiver.answer = answering(status, headers={"Location": receiver.url("/elsewhere")})
        failed = await failure(to(receiver.url()))
        assert (type(failed), words in str(failed)) == (kind, True)
        assert [request.path for request in receiver.told] == ["/hook"]


@pytest.mark.parametrize("address", ["http://127.0.0.1", "http://localhost", "http://169.254.169.254", "http://[::1]"])
async def test_an_address_that_is_not_allowed_is_not_connected_to(address: str) -> None:
    """Loopback and metadata addresses, by number or by name, unless `networks` has them."""
    settings = WebhookSettings(url="http://x.example")
    async with run_receiver() as receiver:
        webhook = Webhook(
            Receiver(f"{address}:{receiver.port}/hook"), destinations(settings).addresses, no_links, FakeClock()
        )
        assert "may not have" in str(await failure(webhook))
        assert receiver.told == []


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "0177.0.0.1"])
async def test_no_spelling_of_an_address_slips_through(host: str) -> None:
    """What the system's resolver reads as a loopback address is one."""
    settings = WebhookSettings(url="http://x.example")
    async with run_receiver() as receiver:
        url = f"http://{host}:{receiver.port}/hook"
        webhook = Webhook(Receiver(url), destinations(settings).addresses, no_links, FakeClock())
        await failure(webhook)
        assert receiver.told == []


async def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    """A name that means another address a moment later gains nothing: it is looked up once."""
    asked = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    settings = WebhookSettings(url="http://x.example", networks=["127.0.0.0/8"])
    async with run_receiver() as receiver:
        url = f"http://hooks.example:{receiver.port}/hook"
        await Webhook(Receiver(url), destinations(settings, resolver).addresses, no_links, FakeClock()).send(
            told(), None
        )
        assert receiver.told[0].headers["Host"] == f"hooks.example:{receiver.port}"
    assert asked == ["hooks.example"]


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would judge nothing."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with run_receiver() as receiver:
        await to(receiver.url()).send(told(), None)
        assert len(receiver.told) == 1


async def test_a_receiver_that_hangs_is_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its name's lookup to the end of its answer."""
    monkeypatch.setattr(module, "TIMEOUT", 0.05)

    async def hang(_: Told) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with run_receiver() as receiver:
        receiver.answer = hang
        assert "it has not answered within" in str(await failure(to(receiver.url())))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.1 200 " + b"x" * 100_000,
        b"HTTP/1.1 999999999999999999999 OK\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_a_failure(said: bytes) -> None:
    """Whatever comes instead: who hangs up may have it or not, so it is told again."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(said)

    async with run_listener(converse) as port:
        assert "it cannot be reached: " in str(await failure(to(f"http://127.0.0.1:{port}/hook")))


async def test_of_an_answer_without_an_end_little_is_read() -> None:
    """What was taken is taken, however long the receiver goes on talking."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with run_listener(converse) as port:
        await to(f"http://127.0.0.1:{port}/hook").send(told(), None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("200 OK", None),
        ("202 Accepted", None),
        ("410 Gone", Gone),
        ("422 No", Unwelcome),
        ("429 Later\r\nRetry-After: 77", Undelivered),
    ],
)
@pytest.mark.parametrize("hangs_up", [False, True])
async def test_the_status_counts_though_the_words_with_it_never_come(
    status: str, expected: type[Undelivered] | None, hangs_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who took it and then says nothing more would else be told again for a day, and all of that stream wait for it."""
    monkeypatch.setattr(module, "SAYING", 0.05)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nwell".encode())
        await (writer.drain() if hangs_up else reader.read())

    async with run_listener(converse) as port:
        webhook = to(f"http://127.0.0.1:{port}/hook")
        if expected is None:
            await webhook.send(told(), None)
        else:
            failed = await failure(webhook)
            assert type(failed) is expected
            assert failed.retry_after == (77.0 if expected is Undelivered else None)


async def test_a_certificate_that_nobody_trusts_is_not_believed(tmp_path: Path) -> None:
    """Nor is a port taken for https that speaks no TLS."""
    tls = server_context(make_certificate("localhost", make_certificate("authority")), tmp_path)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError

    async with run_listener(converse, tls=tls) as port:
        assert "its certificate is none" in str(await failure(to(f"https://localhost:{port}/hook")))
    async with run_receiver() as receiver:
        said = str(await failure(to(receiver.url().replace("http:", "https:"))))
        assert said.startswith("it cannot be reached by https: ")
        assert receiver.told == []


async def test_nobody_there_is_said_in_the_systems_words() -> None:
    """Without the address, of which a part may be a secret."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        webhook = to(f"http://127.0.0.1:{held.getsockname()[1]}/hook")
        assert str(await failure(webhook)) == "it cannot be reached: Connection refused"


async def test_a_name_that_is_unknown_says_so() -> None:
    """As the cameras' do."""

    def unknown(host: str, port: int) -> list[str]:
        raise SourceError("dns", f"the name {host!r} is not known to the name server")

    webhook = Webhook(Receiver("http://nowhere.example/hook"), unknown, no_links, FakeClock())
    assert "is not known to the name server" in str(await failure(webhook))


async def test_its_path_is_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Not in what is raised, shown or logged, though the receiver quotes it: with Slack and Telegram it is the key."""
    path = "/services/T00/B00/XXXXXXXXXXXXXXXXXXXXXXXX?auth=YYYYYYYYYYYYYYYYYYYY"
    async with run_receiver() as receiver:
        receiver.answer = answering(403, f"you may not see http://127.0.0.1{path}, XXXXXXXXXXXXXXXXXXXXXXXX")
        webhook = to(receiver.url(path), key=b"ZZZZZZZZZZZZZZZZZZZZ")
        said = str(await failure(webhook))
        assert said.startswith("it answers 403 (you may not see")
        record = logging.LogRecord("x", logging.ERROR, "", 0, "at %s", (receiver.url(path),), None)
        urls.RedactFilter().filter(record)
        for text in (said, repr(webhook.receiver), webhook.receiver.place, record.getMessage(), caplog.text):
            assert not {"XXXXXXXX", "YYYYYYYY", "ZZZZZZZZ"} & {text[at : at + 8] for at in range(len(text))}
    gc.collect()  # connections that were cut off leave nothing behind
