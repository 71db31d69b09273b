"""The broker as an outlet, against a real one."""

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streamer.outlets.mqtt import outlet as outlet_module
from streamer.outlets.mqtt.broker import Broker
from streamer.outlets.mqtt.client import Client
from streamer.outlets.mqtt.outlet import Options
from streamer.outlets.news import StreamNews
from tests.outlets.mqtt.told import LIVE, Told, told
from tests.peers.mosquitto import Mosquitto, listening, make_mosquitto, run_mosquitto
from tests.peers.required import REPOSITORY
from tests.peers.until import until


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits a second for what is looked at each second."""
    for name in ("LOOK", "FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(outlet_module, name, 0.05)


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    """One that lets everybody in."""
    with run_mosquitto() as broker:
        yield broker


def read(payload: bytes | None) -> Any:
    assert payload is not None
    return json.loads(payload)


async def test_streams_are_told_and_held(broker: Mosquitto) -> None:
    """Who comes later finds that we are there, how each stream is, and what is in view, by class and by zone."""
    one = told(broker.port)
    one.streams.put(StreamNews("line-1.a", LIVE, {"person": 2, "car": 1}, {"gate": {"person": 1}, "yard": {}}))
    async with one.running(), listening(broker.port) as first:
        await first.hears("sightline/streams/line-1.a/counts")
        async with listening(broker.port) as late:
            assert await late.hears("sightline/status") == b"online"
            state = await late.hears("sightline/streams/line-1.a/state")
            counts = await late.hears("sightline/streams/line-1.a/counts")
    assert read(state) == {"state": "live", "reason": None}
    assert read(counts) == {
        "total": 3,
        "labels": {"car": 1, "person": 2},
        "zones": {"gate": {"total": 1, "labels": {"person": 1}}, "yard": {"total": 0, "labels": {}}},
    }


async def test_who_is_gone_without_a_word_is_offline(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker says so for us."""
    for name in ("FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(outlet_module, name, 3600.0)  # it stays away
    one = told(broker.port)
    async with listening(broker.port) as ear, one.running():
        await ear.hears("sightline/status", b"online")
        client = one.outlet._client
        assert client is not None
        wire = client._client.socket()
        assert isinstance(wire, socket.socket)
        wire.shutdown(socket.SHUT_RDWR)  # without a good-bye of MQTT's
        await ear.hears("sightline/status", b"offline")


@pytest.mark.parametrize("turns", range(8))
async def test_who_is_told_to_end_as_the_connection_is_lost_ends(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """So many turns of the event loop after the loss, as when broker and service are stopped together."""
    for name in ("FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(outlet_module, name, 3600.0)
    one = told(broker.port)
    async with one.running() as task:
        await until(lambda: one.outlet._client)
        client = one.outlet._client
        assert client is not None
        client._disconnected.add_done_callback(lambda _: _in_turns(turns, task.cancel))
        wire = client._client.socket()
        assert isinstance(wire, socket.socket)
        wire.shutdown(socket.SHUT_RDWR)
        await asyncio.wait({task})


@pytest.mark.parametrize("turns", range(8))
async def test_who_is_told_to_end_as_the_connection_comes_up_ends(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """So many turns after the broker has let us in: `asyncio.wait_for` of Python 3.11 swallows it in one of them."""

    class Watched(Client):
        async def __aenter__(self) -> "Watched":
            self._connected.add_done_callback(lambda _: _in_turns(turns, task.cancel))
            await super().__aenter__()
            return self

    monkeypatch.setattr(outlet_module, "Client", Watched)
    task = asyncio.create_task(told(broker.port).outlet.run())
    await asyncio.wait({task})
    assert task.cancelled()


def _in_turns(turns: int, call: Callable[[], object]) -> None:
    if turns:
        asyncio.get_running_loop().call_soon(_in_turns, turns - 1, call)
    else:
        call()


async def test_who_leaves_in_good_order_says_so(broker: Mosquitto) -> None:
    """A will is for who cannot."""
    one = told(broker.port)
    async with listening(broker.port) as ear:
        async with one.running():
            await ear.hears("sightline/status", b"online")
        await ear.hears("sightline/status", b"offline")


async def test_notifications_are_told_in_order_and_once_the_broker_has_them_are_no_more(broker: Mosquitto) -> None:
    """Each goes to its topic, with the document that webhooks get."""
    one = told(broker.port)
    async with listening(broker.port) as ear, one.running():
        ids = [one.put("event_began", f"e{index}") for index in range(20)]
        alert = one.put("alert", "e3")
        await ear.hears("sightline/alerts/night")
        heard = [read(payload) for payload in ear.on("sightline/streams/yard/event")]
        assert [each["id"] for each in heard] == ids
        assert [each["event"]["id"] for each in heard] == [f"e{index}" for index in range(20)]
        (told_alert,) = map(read, ear.on("sightline/alerts/night"))
        await until(lambda: not one.waiting)
    assert (told_alert["id"], told_alert["rule"], told_alert["kind"]) == (alert, "night", "alert")
    assert not any(message.retain for message in ear.heard)


async def test_a_rule_is_on_for_as_long_as_something_that_met_it_is_there(broker: Mosquitto) -> None:
    """Its state is held: OFF at first, ON with an alert, OFF once the last event is over."""
    one = told(broker.port)
    one.streams.names_of_rules = ["night"]
    async with listening(broker.port) as ear, one.running():
        await ear.hears("sightline/alerts/night/state", b"OFF")
        for event in ("a", "b"):
            one.put("alert", event)
        await ear.hears("sightline/alerts/night/state", b"ON")
        one.put("alert_ended", "a")
        one.put("alert_ended", "b")
        await ear.hears("sightline/alerts/night/state", b"OFF")
        assert ear.on("sightline/alerts/night/state") == [b"OFF", b"ON", b"OFF"]


async def test_a_broker_that_lost_everything_is_told_all_of_it_anew() -> None:
    """What was notified meanwhile comes late and in order, what is held as it is by then."""
    with make_mosquitto() as broker:
        one = told(broker.port)
        one.streams.put(StreamNews("yard", LIVE, {"person": 1}))
        async with one.running():
            with broker.running():
                async with listening(broker.port) as ear:
                    await ear.hears("sightline/streams/yard/counts")
            await until(lambda: one.outlet.state.status == "failing")
            assert one.outlet.state.failing_since is not None
            ids = [one.put("event_began", f"e{index}") for index in range(50)]
            for count in range(100):
                one.streams.put(StreamNews("yard", LIVE, {"person": count}))
                one.outlet._take_in()
            with broker.running():
                async with listening(broker.port) as ear:
                    await ear.hears("sightline/streams/yard/counts")
                    await until(lambda: ids[-1].encode() in b"".join(ear.on("sightline/streams/yard/event")[-1:]))
                    assert [read(payload)["total"] for payload in ear.on("sightline/streams/yard/counts")] == [99]
                    heard = [read(payload)["id"] for payload in ear.on("sightline/streams/yard/event")]
                    assert heard == ids[-len(heard) :]  # who listens from the beginning hears all of them
                    assert one.outlet.state.status == "ok"


async def test_what_is_held_of_streams_that_are_gone_is_taken_away(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether they went while we were there or while we were not; a stop of the service takes nothing away."""
    monkeypatch.setattr("streamer.outlets.mqtt.board.GONE_AFTER", 0.0)
    options = Options(pictures=1.0, discovery="homeassistant")
    async with listening(broker.port) as ear:
        one = told(broker.port, options)
        one.streams.put(StreamNews("yard", LIVE))
        one.streams.put(StreamNews("gate", LIVE))
        one.streams.images = {"yard": b"jpeg-1", "gate": b"jpeg-2"}
        one.streams.names_of_rules = ["night"]
        device = "homeassistant/device/sightline/yard/config"
        async with one.running():
            await ear.hears("sightline/streams/yard/picture", b"jpeg-1")
            await ear.hears("sightline/streams/gate/picture", b"jpeg-2")
            await ear.hears(device)
            await ear.hears("homeassistant/device/sightline/gate/config")
            await ear.hears("homeassistant/device/sightline/_rules/config")
            one.streams.stopping = True
        other = told(broker.port, options)
        other.streams.put(StreamNews("gate", LIVE))
        async with other.running():
            for what in ("state", "counts", "picture"):
                await ear.hears(f"sightline/streams/yard/{what}", b"")
            await ear.hears(device, b"")
            await ear.hears("homeassistant/device/sightline/_rules/config", b"")
            await ear.hears("sightline/alerts/night/state", b"")
            del other.streams.news["gate"]
            await ear.hears("homeassistant/device/sightline/gate/config", b"")
            await ear.hears("sightline/streams/gate/picture", b"")
    async with listening(broker.port) as late:
        await late.hears("sightline/status", b"offline")
        assert {str(message.topic) for message in late.heard} == {"sightline/status"}


async def test_pictures_are_held_and_those_of_events(broker: Mosquitto) -> None:
    """The newest of each, as the JPEG itself; an event's comes as soon as it is drawn."""
    from streamer.values.event import Picture

    one = told(broker.port, Options(pictures=1.0))
    one.streams.put(StreamNews("yard", LIVE))
    one.streams.images = {"yard": b"jpeg"}
    async with listening(broker.port) as ear, one.running():
        await ear.hears("sightline/streams/yard/picture", b"jpeg")
        one.put("event_began", "e1")
        await until(lambda: not one.waiting)
        one.outbox.pictures["e1"] = Picture(b"whole", b"small")
        await ear.hears("sightline/streams/yard/event_picture", b"whole")


async def test_commands_are_obeyed_where_they_are_taken(broker: Mosquitto) -> None:
    """Pause, resume, snooze and wake do what they say; what is none, or was kept by the broker, is counted."""
    one = told(broker.port, Options(commands=True))
    one.streams.put(StreamNews("yard", LIVE))
    async with listening(broker.port) as ear:
        await ear.say("sightline/streams/yard/command", "pause", retain=True)
        async with one.running():
            await ear.hears("sightline/status", b"online")
            await until(lambda: one.outlet.state.ignored == 1)
            for topic, said in (
                ("streams/yard/command", "pause"),
                ("streams/yard/command", " RESUME\n"),
                ("streams/yard/command", "snooze 60"),
                ("alerts/night/command", "snooze 3600"),
                ("alerts/night/command", "wake"),
                ("alerts/night/command", "pause"),
                ("command", "snooze 5"),
                ("command", "snooze -5"),
                ("command", b"\xff" * 100_000),
            ):
                await ear.say(f"sightline/{topic}", said)
            await until(lambda: one.outlet.state.ignored == 4 and len(one.obeyed.orders) == 6)
    assert one.obeyed.orders == [
        ("pause", "yard"),
        ("resume", "yard"),
        ("snooze", 60.0, None, "yard"),
        ("snooze", 3600.0, "night", None),
        ("wake", "night", None),
        ("snooze", 5.0, None, None),
    ]


async def test_nobody_is_obeyed_where_commands_are_not_allowed(broker: Mosquitto) -> None:
    """They are not even heard."""
    one = told(broker.port)
    one.streams.put(StreamNews("yard", LIVE))
    async with listening(broker.port) as ear, one.running():
        await ear.hears("sightline/status", b"online")
        await ear.say("sightline/streams/yard/command", "pause")
        await ear.say("sightline/status", "gone")  # which is heard, after all that was said before it
        await until(lambda: ear.on("sightline/status")[-2:] == [b"gone", b"online"])
        assert one.obeyed.orders == []
        assert one.outlet.state.ignored == 0


async def test_a_test_is_told(broker: Mosquitto) -> None:
    """Whoever tries the outlet finds a message that says so."""
    one = told(broker.port)
    async with listening(broker.port) as ear, one.running():
        await ear.hears("sightline/status", b"online")
        await one.outlet.test()
        assert read(await ear.hears("sightline/test"))["kind"] == "test"


async def test_the_rights_that_the_documentation_names_are_enough(tmp_path: Path) -> None:
    """With the lines of docs/mqtt.md in its ACL file the broker takes, and gives, all that it is asked."""
    text = (REPOSITORY / "docs" / "mqtt.md").read_text()
    (named,) = re.findall(r"^```\n(user .*?)^```", text, re.DOTALL | re.MULTILINE)
    rules, passwords = tmp_path / "acl", tmp_path / "passwords"
    rules.write_text(f"{named}user ear\ntopic readwrite #\n")
    passwords.write_text("sightline:one\near:two\n")
    await asyncio.to_thread(lambda: subprocess.run(["mosquitto_passwd", "-U", passwords], check=True))
    options = Options(pictures=1.0, discovery="homeassistant", commands=True)
    with run_mosquitto("allow_anonymous false", f"acl_file {rules}", f"password_file {passwords}") as broker:
        one = Told(Broker("127.0.0.1", broker.port, "sightline", "one"), options)
        one.streams.put(StreamNews("yard", LIVE))
        one.streams.images, one.streams.names_of_rules = {"yard": b"jpeg"}, ["night"]
        async with listening(broker.port, user=("ear", "two")) as ear, one.running():
            one.put("alert", "e1")
            await ear.hears("sightline/alerts/night/state", b"ON")
            await ear.hears("sightline/streams/yard/picture", b"jpeg")
            await ear.hears("homeassistant/device/sightline/_rules/config")
            await ear.say("sightline/streams/yard/command", "pause")
            await until(lambda: one.obeyed.orders == [("pause", "yard")])
            assert one.outlet._refused.count == 0
            assert one.outlet.state.status == "ok"


async def test_a_broker_that_lets_us_not_publish_is_a_failing_outlet(tmp_path: Path) -> None:
    """What it throws away is not taken for told: it waits, and the state says why."""
    rules = tmp_path / "acl"
    rules.write_text("topic write sightline/status\ntopic read #\n")
    with run_mosquitto("allow_anonymous true", f"acl_file {rules}") as broker:
        one = told(broker.port)
        async with one.running():
            one.put("event_began")
            await until(lambda: one.outlet.state.status == "failing")
            assert "does not take it: not authorized" in one.outlet.state.error
            assert one.waiting == 1


async def test_a_will_that_comes_late_does_not_leave_us_offline(broker: Mosquitto) -> None:
    """That of a connection before this one, which the broker had not missed yet."""
    one = told(broker.port)
    async with listening(broker.port) as ear, one.running():
        await ear.hears("sightline/status", b"online")
        await ear.say("sightline/status", "offline", retain=True)
        await until(lambda: ear.on("sightline/status")[-2:] == [b"offline", b"online"])


async def test_of_two_who_have_one_prefix_each_is_met_again(broker: Mosquitto) -> None:
    """The broker sends the first away for the second; he comes back, as he must after a connection that he lost."""
    one = told(broker.port)
    async with one.running():
        await until(lambda: one.outlet._client)
        first = one.outlet._client
        async with listening(broker.port, identifier="sightline"):
            await until(lambda: one.outlet._client not in (None, first))
