"""A connection to a broker, against a real one, and against one that is none."""

import asyncio
import gc
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from streamer.outlets.mqtt import client as client_module
from streamer.outlets.mqtt.broker import Broker, Tls
from streamer.outlets.mqtt.client import BrokerAway, Client, PublishRefused, sentence
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError
from tests.peers.certificates import Certificate, make_certificate, server_files
from tests.peers.mosquitto import listening, make_mosquitto, run_mosquitto
from tests.peers.until import until

WILL = aiomqtt.Will("us/status", b"offline", qos=1, retain=True)


def client(broker: Broker, identifier: str = "us") -> Client:
    """One that is not connected yet."""
    context = None if broker.tls is None else broker.tls.context()
    return Client(broker, context, identifier=identifier, will=WILL, connecting=Errands(2, "test"))


@contextmanager
def silent_server() -> Iterator[int]:
    """Takes connections and says nothing; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def sockets() -> set[str]:
    """Those of this process."""
    targets = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            targets.add(str(path.readlink()))
    return {target for target in targets if target.startswith("socket:")}


async def refusal(broker: Broker) -> str:
    """Why there is no connection."""
    with pytest.raises(BrokerAway) as refused:
        async with client(broker):
            pass
    return str(refused.value)


async def test_a_message_is_told_once_the_broker_has_it() -> None:
    """`tell` returns after the acknowledgement, and who listens hears it."""
    with run_mosquitto() as broker:
        async with listening(broker.port) as ear, client(Broker("127.0.0.1", broker.port)) as us:
            await us.tell("us/news", b"good")
            assert await ear.hears("us/news") == b"good"


async def test_user_and_password_are_shown(tmp_path: Path) -> None:
    """A broker that wants them lets us in with them, and says without them that it does not."""
    secrets = tmp_path / "passwords"
    secrets.write_text("anna:secret\n")
    await asyncio.to_thread(lambda: subprocess.run(["mosquitto_passwd", "-U", secrets], check=True))
    with run_mosquitto("allow_anonymous false", f"password_file {secrets}") as broker:
        async with client(Broker("127.0.0.1", broker.port, "anna", "secret")) as us:
            await us.tell("us/news", b"good")
        for user, password in ((None, None), ("anna", "wrong")):
            said = await refusal(Broker("127.0.0.1", broker.port, user, password))
            assert said == "the broker let us not in: not authorized"


def tls_lines(folder: Path, authority: Certificate, *more: str) -> tuple[str, ...]:
    """A broker's, for the host localhost."""
    cert, key = server_files(make_certificate("localhost", authority), folder)
    (folder / "ca.pem").write_text(authority.cert)
    return (f"certfile {cert}", f"keyfile {key}", f"cafile {folder / 'ca.pem'}", *more)


async def test_over_tls_both_show_their_certificates(tmp_path: Path) -> None:
    """With a client certificate the broker lets us in; without, or where its own is not believed, there is no word."""
    authority, other = make_certificate("authority"), make_certificate("other")
    ours = make_certificate("us", authority)
    ca = tmp_path / "ca.pem"
    (tmp_path / "us.pem").write_text(ours.cert)
    (tmp_path / "us.key").write_text(ours.key)
    (tmp_path / "other.pem").write_text(other.cert)
    shown = Tls(str(ca), str(tmp_path / "us.pem"), str(tmp_path / "us.key"))
    lines = tls_lines(tmp_path, authority, "require_certificate true", "use_identity_as_username true")
    with run_mosquitto("allow_anonymous false", *lines) as broker:
        async with client(Broker("localhost", broker.port, tls=shown)) as us:
            await us.tell("us/news", b"good")
        assert "self-signed" in await refusal(Broker("localhost", broker.port, tls=Tls(str(tmp_path / "other.pem"))))
        assert "not valid for '127.0.0.1'" in await refusal(Broker("127.0.0.1", broker.port, tls=shown))
        in_the_clear = Broker("localhost", broker.port)
        for refused in (Broker("localhost", broker.port, tls=Tls(str(ca))), in_the_clear):
            assert "ended the connection before it began" in await refusal(refused)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """One sentence says which, and why."""
    ours, other = make_certificate("us"), make_certificate("other")
    (tmp_path / "us.pem").write_text(ours.cert)
    (tmp_path / "other.key").write_text(other.key)
    (tmp_path / "locked.key").write_text(ours.locked_key("secret"))
    (tmp_path / "text").write_text("no PEM")

    def said(ca: str | None, cert: str | None = None, key: str | None = None) -> str:
        in_folder = [None if name is None else str(tmp_path / name) for name in (ca, cert, key)]
        with pytest.raises(ConfigError) as refused:
            Tls(*in_folder).context()
        return str(refused.value).replace(f"{tmp_path}/", "")

    assert said("none") == "mqtt.tls.ca: none cannot be used: No such file or directory"
    assert said("text") == "mqtt.tls.ca: text cannot be used: it is no PEM that fits"
    assert said(None, "us.pem", "none") == "mqtt.tls.cert: us.pem with none cannot be used: No such file or directory"
    assert said(None, "us.pem", "other.key").endswith("they do not belong together")
    assert said(None, "us.pem", "locked.key").endswith("the key has a password; allowed is one without")


async def test_what_the_broker_does_not_let_us_publish_is_refused(tmp_path: Path) -> None:
    """Its acknowledgement is read: the library takes every one for a yes."""
    rules = tmp_path / "acl"
    rules.write_text("topic write us/#\n")
    with run_mosquitto("allow_anonymous true", f"acl_file {rules}") as broker:
        async with client(Broker("127.0.0.1", broker.port)) as us:
            await us.tell("us/news", b"good")
            with pytest.raises(PublishRefused, match="others/news: the broker does not take it: not authorized"):
                await us.tell("others/news", b"bad")
            await us.tell("us/news", b"good")


async def test_what_is_too_large_for_the_broker_is_not_sent() -> None:
    """It would end the connection, and each after it."""
    with run_mosquitto("allow_anonymous true", "max_packet_size 2000") as broker:
        async with client(Broker("127.0.0.1", broker.port)) as us:
            assert us.largest == 2000
            with pytest.raises(PublishRefused, match="more than the broker takes"):
                await us.tell("us/news", bytes(2000))
            await us.tell("us/news", bytes(2000 - len("us/news") - client_module.OVERHEAD))


async def test_a_broker_that_says_nothing_is_given_up_and_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one whose connection is given up by us."""
    monkeypatch.setattr(client_module, "PATIENCE", 0.1)
    before = sockets()
    with silent_server() as port:
        assert await refusal(Broker("127.0.0.1", port)) == "the broker does not answer"
        task = asyncio.create_task(client(Broker("127.0.0.1", port)).__aenter__())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: len(sockets() - before) == 1)  # the server's
    monkeypatch.undo()  # who refuses is given the time that a busy machine takes
    assert await refusal(Broker("127.0.0.1", port)) == "Connection refused"


async def test_who_waits_when_the_broker_is_killed_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """And nothing is left that asyncio complains of."""
    with make_mosquitto() as broker, broker.running():
        async with client(Broker("127.0.0.1", broker.port)) as us:
            assert broker.process is not None
            hearing = asyncio.create_task(us.hear())
            await us.tell("us/news", b"good")
            broker.process.kill()
            with pytest.raises(BrokerAway, match="the connection was lost"):
                await hearing
            with pytest.raises(BrokerAway):
                await us.tell("us/news", b"more")
    gc.collect()
    await asyncio.sleep(0)
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_a_client_of_our_name_is_told_apart_from_a_lost_connection() -> None:
    """Two Sightlines of one prefix send each other away; that is said, where the broker says it."""
    taken_over = ReasonCode(PacketTypes.DISCONNECT, identifier=client_module.TAKEN_OVER)
    assert "another client came with our name" in sentence(aiomqtt.MqttCodeError(taken_over))
    lost = ReasonCode(PacketTypes.DISCONNECT, identifier=client_module.UNSPECIFIED)
    assert sentence(aiomqtt.MqttCodeError(lost)) == "the connection was lost"
