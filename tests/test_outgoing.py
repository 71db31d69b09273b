"""streamer.outgoing: who is told, as the configuration has it, also after it was edited."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from streamer.config import Config, parse
from streamer.config.webhook import WebhookSettings
from streamer.outgoing import Outgoing, destinations
from streamer.outlets.outbox import Outbox
from streamer.outlets.sender import Undelivered
from streamer.values.errors import ConfigError, SourceError
from tests.outlets.memory_outbox import MemoryOutbox, told
from tests.peers.clock import FakeClock
from tests.peers.receiver import Told, answering, run_receiver
from tests.peers.until import until

HERE = ["127.0.0.0/8"]


def config(**webhooks: dict[str, Any]) -> Config:
    """With these webhooks, on this machine."""
    return parse({"archive": {}, "webhooks": {name: {"networks": HERE, **said} for name, said in webhooks.items()}})


def outgoing(settings: Config, outbox: Outbox | None) -> Outgoing:
    """Of a service with such a configuration."""
    return Outgoing(settings, outbox, clock=FakeClock(), wall=FakeClock(1.8e9))


@asynccontextmanager
async def running(settings: Config, outbox: MemoryOutbox) -> AsyncIterator[Outgoing]:
    made = outgoing(settings, outbox)
    (task,) = (asyncio.ensure_future(run()) for run in made.tasks().values())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_webhook_is_told_what_waits_for_it() -> None:
    """And how it fares is known by its host alone."""
    outbox = MemoryOutbox(FakeClock(1.8e9))
    async with (
        run_receiver() as receiver,
        running(config(phone={"url": receiver.url("/secret-topic")}), outbox) as made,
    ):
        outbox.put(told(1), told(2))
        await until(lambda: outbox.states() == ["sent", "sent"])
        (state,) = made.states()
        assert (state.name, state.kind, state.place, state.recipe, state.sent) == (
            "phone", "webhook", "127.0.0.1", "plain", 2,
        )  # fmt: skip
        assert "secret-topic" not in repr(made.states())


async def test_an_edited_configuration_tells_others_at_once() -> None:
    """One that changed begins anew, one that is gone is told nothing more, and one that is as it was goes on."""
    outbox = MemoryOutbox(FakeClock(1.8e9))
    async with run_receiver() as old, run_receiver() as new:
        other = {"url": old.url("/other")}
        async with running(config(phone={"url": old.url()}, other=other), outbox) as made:
            before = made._outlets["other"]
            await made.reconfigure(config(phone={"url": new.url()}, other=other, third={"url": new.url("/third")}))
            assert [state.name for state in made.states()] == ["other", "phone", "third"]
            assert made._outlets["other"] is before
            await made.test("phone")
            assert [request.path for request in new.told] == ["/hook"]
            await made.reconfigure(config(other=other))
            assert [state.name for state in made.states()] == ["other"]
            with pytest.raises(KeyError):
                await made.test("phone")
        assert old.told == []


async def test_what_was_under_way_when_it_changed_is_told_by_the_new_one() -> None:
    """Nothing is lost by an edit."""
    outbox = MemoryOutbox(FakeClock(1.8e9))

    async def hang(_: Told) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with run_receiver() as old, run_receiver() as new:
        old.answer = hang
        async with running(config(phone={"url": old.url()}), outbox) as made:
            outbox.put(told(1))
            await until(lambda: old.told)
            await made.reconfigure(config(phone={"url": new.url()}))
            outbox.nudge()
            await until(lambda: outbox.states() == ["sent"])
        assert [each.headers["webhook-id"] for each in old.told] == [each.headers["webhook-id"] for each in new.told]


async def test_a_test_says_what_came_of_it() -> None:
    """Why it was not received, in a sentence."""
    async with run_receiver() as receiver:
        receiver.answer = answering(404)
        with pytest.raises(Undelivered, match="it answers 404"):
            await outgoing(config(phone={"url": receiver.url()}), MemoryOutbox(FakeClock())).test("phone")


def test_without_an_archive_nobody_is_told() -> None:
    """There is nothing to run."""
    made = outgoing(parse({}), None)
    assert (made.tasks(), made.states()) == ({}, ())


@pytest.mark.parametrize(
    ("networks", "address", "is_allowed"),
    [
        (None, "10.0.0.5", True),
        (None, "93.184.216.34", True),
        (None, "127.0.0.1", False),
        (None, "::1", False),
        (None, "::ffff:127.0.0.1", False),
        (None, "169.254.169.254", False),
        (None, "169.254.1.1", False),
        (["127.0.0.0/8"], "127.0.0.1", True),
        (["127.0.0.0/8"], "10.0.0.5", False),
        (["0.0.0.0/0"], "169.254.169.254", False),
    ],
)
def test_where_a_webhook_may_be(networks: list[str] | None, address: str, is_allowed: bool) -> None:
    """Anywhere but at special addresses; with `networks`, only there, and at special ones that it names."""
    settings = WebhookSettings(url="http://x.example", networks=networks)
    where = destinations(settings, lambda host, port: [address])
    if is_allowed:
        assert where.addresses("x.example", 80) == [address]
    else:
        with pytest.raises(SourceError):
            where.addresses("x.example", 80)


SLACK = "https://hooks.slack.com/services/T000/B000/SECRETSECRETSECRET"


@pytest.mark.parametrize(
    ("webhook", "words"),
    [
        ({"url": SLACK, "recipe": "slack", "picture": "inline"}, "no picture comes as inline with slack; allowed"),
        ({"url": SLACK, "recipe": "slack", "picture": "link"}, "webhooks.x.picture: link needs server.public_url"),
        ({"url": SLACK, "recipe": "telegram"}, "the recipe telegram needs a chat"),
        ({"url": SLACK, "chat": "@yard"}, "the recipe telegram needs a chat"),
        ({"url": f"ftp{SLACK}"}, "webhooks.x.url: it is no receiver"),
        ({"url": f"{SLACK} x"}, "webhooks.x.url: it is no receiver"),
        ({"url": SLACK, "secret": "short"}, ": is too short"),
        ({"url": SLACK, "secret": "whsec_SECRETSECRET%%%"}, "behind whsec_ is no base64"),
        ({"url": SLACK, "networks": ["10.0.0"]}, "webhooks.x.networks.0: '10.0.0' is no address"),
        ({"url": SLACK, SLACK: 1}, "unknown key"),
        (SLACK, "is not allowed; it must be a mapping"),
        ([SLACK], "is not allowed; it must be a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_without_the_secret(webhook: object, words: str) -> None:
    """In one sentence that names the key, and nothing of the URL behind its host."""
    with pytest.raises(ConfigError) as refused:
        parse({"archive": {}, "webhooks": {"x": webhook}})
    assert words in str(refused.value)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["cam.example.org", "https://u:p@cam.example.org", "https://cam.example.org/?x", "ftp://x"]
)
def test_a_public_url_is_where_a_page_is(value: str) -> None:
    """With scheme and host, and perhaps a folder."""
    with pytest.raises(ConfigError, match=r"server\.public_url: .* is no address of a page"):
        parse({"server": {"public_url": value}})
    for good in (
        "https://cam.example.org",
        "http://10.0.0.5:8000/",
        "http://[::1]:80/a/b",
        "https://x.example/sightline/",
    ):
        assert parse({"server": {"public_url": good}}).server.public_url == good


async def test_an_outlet_is_told_from_here_only_while_it_is_ours() -> None:
    """Of several replicas one tells it: begun once it is ours, and let go of when it is another's."""
    outbox, ours = MemoryOutbox(FakeClock(1.8e9)), set[str]()
    async with run_receiver() as receiver:
        settings = config(phone={"url": receiver.url()})
        made = Outgoing(settings, outbox, clock=FakeClock(), wall=FakeClock(1.8e9), runs=ours.__contains__)
        running = asyncio.ensure_future(made.run())
        try:
            outbox.put(told(1))
            await made.reconfigure(settings)
            assert (made.running(), len(made._tasks)) == (frozenset(), 0)
            ours.add("phone")
            made.look()
            await until(lambda: outbox.states() == ["sent"])
            assert made.running() == {"phone"}
            ours.clear()
            made.look()
            await until(lambda: not made._tasks)
            assert [state.name for state in made.states()] == ["phone"]
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
