"""streamer.webrtc.datagram_filter: what strangers send to the media port, while a real viewer is connected."""

import os
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import Connection, stun
from aiortc import RTCDtlsTransport, RTCPeerConnection

from streamer.webrtc.datagram_filter import (
    MAX_CHECKED,
    MAX_CHECKS,
    MAX_DATAGRAM,
    MAX_RESENT,
    DatagramFilter,
    datagram_filters,
)
from streamer.webrtc.peer import VIEWERS_DATAGRAMS, Peer
from streamer.webrtc.sdp import read_offer
from tests.peers.clock import FakeClock
from tests.peers.rtc import make_pc, offer_to_watch, take_answer
from tests.peers.until import until

DTLS_ALERT = bytes.fromhex("15fefd0000000000000000000202 28".replace(" ", ""))
"""Fatal: handshake failure, in the clear."""
DTLS_HELLO = bytes.fromhex("16fefd000000000000000000360100002a000000000000002afefd") + bytes(40)
RTP_JUNK = bytes([0x80, 96]) + os.urandom(200)

HOSTILE = {
    "empty": b"",
    "one byte": b"\x80",
    "junk": os.urandom(60),
    "just too large": b"\x80" + bytes(MAX_DATAGRAM),
    "far too large": b"\x80" + bytes(60_000),
    "dtls alert": DTLS_ALERT,
    "dtls hello": DTLS_HELLO,
    "rtp": RTP_JUNK,
    "turn channel": b"\x40\x00" + bytes(20),
    "half a stun message": bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST))[:-1],
    "stun with a broken attribute": bytes.fromhex("0001 0008 2112a442".replace(" ", "")) + bytes(12)
    + bytes.fromhex("0024 0002 0000 0000".replace(" ", "")),
    "stun nobody signed": bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)),
    "a stun answer nobody asked for": bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)),
}  # fmt: skip


class Victim:
    """A connected pair: our peer, and the viewer at its other end."""

    def __init__(self) -> None:
        self.closed = False
        self.peer = Peer("v", clock=FakeClock(), on_connected=lambda: None, on_closed=self._close)
        self.viewer: RTCPeerConnection = make_pc()

    def _close(self) -> None:
        self.closed = True

    async def answer(self) -> str:
        """Let the peer answer the viewer's offer; they do not connect yet."""
        return await self.peer.answer(read_offer(await offer_to_watch(self.viewer)))

    async def connect(self, answer: str) -> None:
        """Take the answer."""
        await take_answer(self.viewer, answer)
        await until(lambda: self.peer.connected and self.viewer.connectionState == "connected")

    def attack(self, data: bytes, times: int = 1) -> None:
        """Send to every media port from a socket ICE knows nothing of."""
        for datagram_filter in datagram_filters(self.peer.pc):
            host, port = datagram_filter.local_candidate.host, datagram_filter.local_candidate.port
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as stranger:
                for _ in range(times):
                    stranger.sendto(data, (host, port))

    async def dropped(self, count: int) -> None:
        """Wait until so many datagrams were turned away."""
        await until(lambda: self.peer.dropped >= count)


@pytest.fixture
async def victim() -> AsyncIterator[Victim]:
    """Give a pair that is not connected yet; both ends are closed afterwards."""
    victim = Victim()
    yield victim
    await victim.viewer.close()
    await victim.peer.close()


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_strangers_datagram_changes_nothing(victim: Victim, data: bytes) -> None:
    """Nothing a stranger sends, before the handshake or after it, ends a session or keeps it from coming about."""
    answer = await victim.answer()
    ports = len(datagram_filters(victim.peer.pc))
    victim.attack(data)
    await victim.dropped(ports)
    await victim.connect(answer)
    victim.attack(data, 2)
    await victim.dropped(3 * ports)
    assert victim.peer.connected
    assert not victim.closed
    assert all(transport.state == "connected" for transport in dtls(victim.peer.pc))


def dtls(pc: RTCPeerConnection) -> list[RTCDtlsTransport]:
    """The DTLS transports of a peer connection."""
    return [transceiver.receiver.transport for transceiver in pc.getTransceivers()]


async def test_only_a_check_with_our_password_opens_the_door(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A datagram passes once its sender has made an authenticated check, and not before."""
    await victim.answer()
    datagram_filter = datagram_filters(victim.peer.pc)[0]
    connection = datagram_filter.receiver
    passed: list[bytes] = []
    monkeypatch.setattr(connection, "data_received", lambda data, _: passed.append(data))
    here = ("192.0.2.7", 4242)

    datagram_filter.datagram_received(DTLS_HELLO, here)
    datagram_filter.datagram_received(signed(connection, "wrong" * 5), here)
    datagram_filter.datagram_received(DTLS_HELLO, here)
    assert passed == []
    datagram_filter.datagram_received(signed(connection), here)
    datagram_filter.datagram_received(DTLS_HELLO, here)
    datagram_filter.datagram_received(DTLS_HELLO, (here[0], here[1] + 1))
    assert passed == [DTLS_HELLO]


def signed(connection: Connection, password: str | None = None) -> bytes:
    """A check of who knows our answer; of who knows but our user name, with another password."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes |= {"USERNAME": f"{connection.local_username}:{connection.remote_username}", "PRIORITY": 1}
    request.add_message_integrity((password or connection.local_password).encode())
    return bytes(request)


@pytest.mark.parametrize("kind", ["unsigned", "of another session", "with a wrong password", "an indication"])
async def test_a_stranger_is_not_answered(victim: Victim, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Whatever STUN comes from who has not our answer, nothing goes out for it: it may not be him who would get it."""
    await victim.answer()
    datagram_filter = datagram_filters(victim.peer.pc)[0]
    answered: list[object] = []
    monkeypatch.setattr(datagram_filter, "send_stun", lambda *told: answered.append(told))
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    if kind == "of another session":
        message.attributes["USERNAME"] = "x:y"
        message.add_message_integrity(b"wrong" * 5)
    data = bytes(message)
    if kind == "with a wrong password":
        data = signed(datagram_filter.receiver, "wrong" * 5)
    if kind == "an indication":
        data = bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION))
    datagram_filter.datagram_received(data, ("192.0.2.7", 4242))
    assert (answered, datagram_filter.dropped, datagram_filter.heard) == ([], 1, 0)
    datagram_filter.datagram_received(signed(datagram_filter.receiver), ("192.0.2.7", 4242))
    assert (len(answered), datagram_filter.heard) == (1, 1)


async def test_strangers_cost_no_reading(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """STUN that does not name us is not parsed, and leaves the peer's own checks their budget."""
    await victim.answer()
    datagram_filter = datagram_filters(victim.peer.pc)[0]
    datagram_filter.clock = FakeClock()
    parsed, parse = list[bytes](), stun.parse_message

    def read(data: bytes) -> stun.Message:
        parsed.append(data)
        return parse(data)

    monkeypatch.setattr(stun, "parse_message", read)
    for _ in range(10 * MAX_CHECKS):
        datagram_filter.datagram_received(HOSTILE["stun nobody signed"], ("192.0.2.7", 4242))
    assert (parsed, datagram_filter.dropped) == ([], 10 * MAX_CHECKS)
    datagram_filter.datagram_received(signed(datagram_filter.receiver), ("192.0.2.8", 4242))
    assert datagram_filter.heard == 1


async def test_a_peer_has_a_budget(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what a checked peer sends so much a second passes, of its checks too; the rest is dropped and counted."""
    await victim.answer()
    datagram_filter = datagram_filters(victim.peer.pc)[0]
    clock = datagram_filter.clock = FakeClock()
    passed: list[bytes] = []
    monkeypatch.setattr(datagram_filter.receiver, "data_received", lambda data, _: passed.append(data))
    here = ("192.0.2.7", 4242)
    for _ in range(2 * MAX_CHECKS):
        datagram_filter.datagram_received(signed(datagram_filter.receiver), here)
    assert (datagram_filter.heard, datagram_filter.dropped) == (MAX_CHECKS, MAX_CHECKS)
    for _ in range(2 * VIEWERS_DATAGRAMS):
        datagram_filter.datagram_received(RTP_JUNK, here)
    assert len(passed) == VIEWERS_DATAGRAMS
    assert datagram_filter.dropped == MAX_CHECKS + VIEWERS_DATAGRAMS
    clock.advance(0.1)
    for _ in range(VIEWERS_DATAGRAMS):
        datagram_filter.datagram_received(RTP_JUNK, here)
    assert len(passed) == 1.1 * VIEWERS_DATAGRAMS


async def test_a_check_is_not_sent_over_and_over(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who checks in the name of another, and is silent, has three checks of ours sent there, and not seven."""
    monkeypatch.setattr(stun, "RETRY_RTO", 0.001)
    await victim.answer()
    datagram_filter = datagram_filters(victim.peer.pc)[0]
    sent: list[stun.Message] = []
    monkeypatch.setattr(datagram_filter, "send_stun", lambda message, _: sent.append(message))
    with pytest.raises(stun.TransactionTimeout):
        await datagram_filter.request(stun.Message(stun.Method.BINDING, stun.Class.REQUEST), ("192.0.2.7", 4242))
    assert len(sent) == 1 + MAX_RESENT


async def test_what_is_remembered_is_bounded(victim: Victim) -> None:
    """A peer that checks from one address after the other is remembered at so many, by aioice too, and no more."""
    await victim.connect(await victim.answer())
    known = len(datagram_filters(victim.peer.pc)[0].receiver.remote_candidates)
    datagram_filter = datagram_filters(victim.peer.pc)[0]
    connection = datagram_filter.receiver
    datagram_filter.clock = clock = FakeClock()
    for port in range(1, 2 * MAX_CHECKED):
        clock.advance(1)
        datagram_filter.datagram_received(signed(connection), ("192.0.2.7", port))
    assert len(datagram_filter._checked) == MAX_CHECKED
    assert len(connection.remote_candidates) <= known + MAX_CHECKED
    assert victim.peer.connected


async def test_no_more_is_read_than_tells_that_it_is_too_much(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a datagram that is far too large asyncio reads one byte more than would pass."""
    lengths: list[int] = []
    monkeypatch.setattr(DatagramFilter, "datagram_received", lambda _, data, __: lengths.append(len(data)))
    await victim.answer()
    victim.attack(HOSTILE["far too large"])
    await until(lambda: lengths)
    assert set(lengths) == {MAX_DATAGRAM + 1}


async def test_every_socket_is_filtered(victim: Victim) -> None:
    """Each socket that aioice opens for a peer connection is one of ours."""
    await victim.answer()
    gatherer = victim.peer.pc.getTransceivers()[0].receiver.transport.transport.iceGatherer
    sockets = gatherer._connection._protocols
    assert len(sockets) == len(datagram_filters(victim.peer.pc)) >= 1
    assert all(type(found) is DatagramFilter for found in sockets)


async def test_without_the_filter_one_datagram_is_the_end(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice and aiortc alone end a session at an empty datagram: when they no longer do, the filter may go."""
    [theirs, *_] = DatagramFilter.__bases__
    monkeypatch.setattr(DatagramFilter, "datagram_received", theirs.datagram_received)  # type: ignore[attr-defined]
    await victim.connect(await victim.answer())
    victim.attack(b"")
    await until(lambda: victim.closed)
