"""streamer.webrtc.peer: the life of one connection, with aiortc as a real one on the other side."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiortc import RTCIceCandidate, RTCPeerConnection
from aiortc.sdp import candidate_to_sdp

from streamer.values.errors import Refused
from streamer.webrtc.datagram_filter import datagram_filters
from streamer.webrtc.peer import (
    FIRST_CHECK_TIMEOUT,
    HANDSHAKE_TIMEOUT,
    MAX_OWN_CANDIDATES,
    MAX_REPORT,
    MIN_REPORT,
    REPORTS,
    SILENCE_TIMEOUT,
    Peer,
)
from streamer.webrtc.sdp import MAX_CANDIDATES, read_fragment, read_offer
from tests.peers.clock import FakeClock
from tests.peers.rtc import make_pc, offer_to_watch, take_answer
from tests.peers.until import until


class WatchedClock(FakeClock):
    """Counts how often it is looked at."""

    looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return super().__call__()


class Pair:
    """A peer of ours, its clock, and who is at its other end."""

    def __init__(self) -> None:
        self.clock = WatchedClock()
        self.closed = 0
        self.peer = Peer("p", clock=self.clock, on_connected=lambda: None, on_closed=self._close)
        self.other: RTCPeerConnection = make_pc()

    def _close(self) -> None:
        self.closed += 1

    async def connect(self) -> None:
        """Offer, answer, connect."""
        await take_answer(self.other, await self.peer.answer(read_offer(await offer_to_watch(self.other))))
        await until(lambda: self.peer.connected)


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Give a pair, not connected yet."""
    pair = Pair()
    yield pair
    await pair.other.close()
    await pair.peer.close()


@pytest.mark.parametrize("begun", [False, True])
async def test_who_never_connects_is_forgotten(pair: Pair, monkeypatch: pytest.MonkeyPatch, begun: bool) -> None:
    """An answer nobody takes up ends the connection soon; one that is taken up has the handshake's time for it."""
    monkeypatch.setattr("streamer.webrtc.peer.LOOK_INTERVAL", 0.01)
    await pair.peer.answer(read_offer(await offer_to_watch(pair.other)))
    patience = FIRST_CHECK_TIMEOUT
    if begun:
        patience = HANDSHAKE_TIMEOUT
        datagram_filters(pair.peer.pc)[0].heard += 1
    before = pair.clock.looks
    await until(lambda: pair.clock.looks > before + 2)
    pair.clock.advance(patience - 1)
    before = pair.clock.looks
    await until(lambda: pair.clock.looks > before + 2)
    assert pair.closed == 0
    pair.clock.advance(2)
    await until(lambda: pair.closed == 1)


@pytest.mark.parametrize("trickled", [False, True])
async def test_nobody_but_who_offered_is_sent_a_check(pair: Pair, trickled: bool) -> None:
    """Of the candidates an offer names, or that trickle in, those at the address it came from are checked alone."""
    lines = (await offer_to_watch(pair.other)).splitlines()
    lines = [line for line in lines if not line.startswith("a=candidate:")]
    hosts = [
        "192.0.2.7",
        "::ffff:192.0.2.7",
        "192.0.2.8",
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "2001:db8::7",
        "a.local",
    ]
    named = [f"a=candidate:{n} 1 udp {n} {host} {4000 + n} typ host" for n, host in enumerate(hosts)]
    offer = "\r\n".join([*lines, *([] if trickled else named)]) + "\r\n"
    await pair.peer.answer(read_offer(offer), "192.0.2.7")
    if trickled:
        pair.peer.trickle(read_fragment("\r\n".join(["m=video 9 x 0", "a=mid:0", *named]) + "\r\n"))
    await until(lambda: not pair.peer._adding)
    [connection] = {each.receiver for each in datagram_filters(pair.peer.pc)}
    assert {candidate.host for candidate in connection.remote_candidates} <= {"192.0.2.7", "::ffff:192.0.2.7"}
    assert connection.remote_candidates


async def test_who_is_elsewhere_connects_by_his_own_checks(pair: Pair) -> None:
    """A viewer of whom no candidate is used, behind a proxy or a relay, connects as fast, since he checks us."""
    offer = read_offer(await offer_to_watch(pair.other))
    await take_answer(pair.other, await pair.peer.answer(offer, "198.51.100.1"))
    await until(lambda: pair.peer.connected)


async def test_reports_have_a_limit(pair: Pair) -> None:
    """RTCP that is too long, or comes too often, is dropped before it is read, and counted; time brings more."""
    await pair.connect()
    pair.clock.advance(1)
    read, dropped = list[None](), pair.peer.reports_dropped
    pair.peer.on_report = lambda: read.append(None)
    assert [pair.peer._takes_report(size) for size in (MAX_REPORT, MAX_REPORT + 1)] == [True, False]
    short = (REPORTS - MAX_REPORT) // MIN_REPORT
    assert [pair.peer._takes_report(12) for _ in range(short + 3)] == [True] * short + [False] * 3
    assert len(read) == 1 + short
    assert pair.peer.reports_dropped == dropped + 1 + 3
    pair.clock.advance(MAX_REPORT / REPORTS)
    assert [pair.peer._takes_report(MAX_REPORT) for _ in range(2)] == [True, False]


async def test_who_vanishes_is_noticed(pair: Pair) -> None:
    """A peer from which nothing comes any more, as when a laptop is closed, is gone after ten seconds of silence."""
    await pair.connect()
    for datagram_filter in datagram_filters(pair.other):  # no more a word, and no goodbye
        datagram_filter.transport.sendto = lambda *_: None  # type: ignore[method-assign]
    began = pair.clock()
    while not pair.closed:
        pair.clock.advance(1)
        await asyncio.sleep(0.1)
    assert SILENCE_TIMEOUT < pair.clock() - began < 100  # aioice alone takes 30 real seconds: 300 of these
    assert not pair.peer.connected


async def test_who_is_heard_stays(pair: Pair) -> None:
    """A peer that sends nothing but its reports is there, however long it goes on."""
    await pair.connect()
    for _ in range(2):
        heard = sum(each.heard for each in datagram_filters(pair.peer.pc))
        pair.clock.advance(SILENCE_TIMEOUT - 2)
        await until(lambda heard=heard: sum(each.heard for each in datagram_filters(pair.peer.pc)) > heard)  # type: ignore[misc]
        await until(lambda: pair.peer.silent_for == 0)
    assert pair.closed == 0


async def test_closing_twice_is_fine(pair: Pair) -> None:
    """A connection closed twice says so once."""
    await pair.connect()
    await pair.peer.close()
    await pair.peer.close()
    assert pair.closed == 1


def descriptors() -> int:
    """Open files and sockets of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("how", ["given up", "closed"])
@pytest.mark.parametrize("turns", range(0, 14, 2))
async def test_an_answer_cut_short_leaves_nothing(how: str, turns: int) -> None:
    """Whether who asked hangs up or the stream ends while an answer is being made: no socket and no task stays."""
    other, before, tasks = make_pc(), descriptors(), asyncio.all_tasks()
    offer = read_offer(await offer_to_watch(other))
    await other.close()
    peer = Peer("p", clock=FakeClock(), on_connected=lambda: None, on_closed=lambda: None)
    peer.pc.addTransceiver("video", direction="sendonly")
    answering = asyncio.create_task(peer.answer(offer))
    for _ in range(turns):
        await asyncio.sleep(0)
    if how == "given up":
        answering.cancel()
    await peer.close()
    [outcome] = await asyncio.gather(answering, return_exceptions=True)
    if how == "closed" and isinstance(outcome, Exception):
        assert isinstance(outcome, Refused)
        assert outcome.status == 404
    await until(lambda: descriptors() <= before and asyncio.all_tasks() <= tasks)


async def test_a_fault_of_ours_is_not_blamed_on_the_offer(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails while a good offer is being answered is raised as it is: no refusal, which would name the client."""

    async def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pair.peer.pc, "createAnswer", fail)
    with pytest.raises(ZeroDivisionError):
        await pair.peer.answer(read_offer(await offer_to_watch(pair.other)))


async def test_a_fault_that_nobody_waits_for_is_logged(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that breaks down after its client has hung up is told to the log, there being nobody else."""
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        began.set()
        await goes_on.wait()
        raise ZeroDivisionError

    monkeypatch.setattr(pair.peer.pc, "createAnswer", fail)
    answering = asyncio.create_task(pair.peer.answer(read_offer(await offer_to_watch(pair.other))))
    await began.wait()
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)
    goes_on.set()
    await pair.peer.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == ["p: could not be answered"]


async def test_a_peer_that_cannot_be_watched_is_sent_away(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the look at a connection fails, its end would not be noticed: it is ended, and that is logged."""
    await pair.connect()

    def fail(_: RTCPeerConnection) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("streamer.webrtc.peer.datagram_filters", fail)
    await until(lambda: pair.closed == 1)
    assert "p: is not watched any more, and is sent away" in caplog.text


@pytest.mark.parametrize("said", ["in no section", "once for all sections"])
async def test_an_offer_need_not_say_its_direction(pair: Pair, said: str) -> None:
    """Both directions are meant where none is written, and one may be written before the sections (RFC 8866)."""
    offer = (await offer_to_watch(pair.other)).replace("a=recvonly\r\n", "")
    if said == "once for all sections":
        offer = offer.replace("t=0 0\r\n", "t=0 0\r\na=recvonly\r\n")
    pair.peer.pc.addTransceiver("video", direction="sendonly")
    assert "a=sendonly\r\n" in await pair.peer.answer(read_offer(offer))


async def test_a_close_that_fails_still_frees_everything(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where aiortc cannot close a connection, its tasks and sockets are ended all the same, and the other end told."""
    await pair.connect()

    async def fail() -> None:
        raise AttributeError

    monkeypatch.setattr(pair.peer.pc, "close", fail)
    await pair.peer.close()
    assert datagram_filters(pair.peer.pc) == []
    await until(lambda: pair.other.connectionState == "closed")


async def test_candidates_may_trickle_in(pair: Pair) -> None:
    """An offer without candidates connects once they come after it."""
    offer = read_offer(await offer_to_watch(pair.other))
    candidates = offer.candidates
    assert candidates
    bare = "\n".join(line for line in offer.text.splitlines())
    await take_answer(pair.other, await pair.peer.answer(read_offer(bare)))
    lines = ["a=ice-ufrag:" + offer.ufrag, "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0"]
    lines += ["a=candidate:" + candidate_to_sdp(candidate) for candidate in candidates] + ["a=end-of-candidates"]
    pair.peer.trickle(read_fragment("\r\n".join(lines) + "\r\n"))
    await until(lambda: pair.peer.connected)


async def test_candidates_that_lead_nowhere_are_ignored(pair: Pair) -> None:
    """Names that nobody answers to, other transports and other components neither delay the answer nor end anything."""
    offer = await offer_to_watch(pair.other)
    nowhere = [
        "a=candidate:1 1 udp 2122260223 00000000-0000-4000-8000-000000000000.local 9 typ host",
        "a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
        "a=candidate:3 2 udp 2122260223 192.0.2.1 9 typ host",
    ]
    offer = "\r\n".join([*offer.splitlines(), *nowhere]) + "\r\n"
    async with asyncio.timeout(20):
        answer = await pair.peer.answer(read_offer(offer))
    await take_answer(pair.other, answer)
    await until(lambda: pair.peer.connected)


async def test_an_ice_restart_is_refused(pair: Pair) -> None:
    """Other credentials are 422, and the session goes on with the old ones."""
    await pair.connect()
    with pytest.raises(Refused, match="ICE restart") as refused:
        pair.peer.trickle(read_fragment("a=ice-ufrag:other\r\na=ice-pwd:otherotherotherotherother\r\n"))
    assert refused.value.status == 422
    assert pair.peer.connected


async def test_trickling_has_an_end(pair: Pair) -> None:
    """Candidates beyond the limit are refused, however few come at a time."""
    await pair.peer.answer(read_offer(await offer_to_watch(pair.other)))
    fragment = read_fragment("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 8)
    for _ in range(MAX_CANDIDATES // 8):
        pair.peer.trickle(fragment)
    with pytest.raises(Refused) as refused:
        pair.peer.trickle(fragment)
    assert refused.value.status == 400


async def test_of_the_candidates_at_his_own_address_so_many_are_checked(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine with many addresses sends many candidates, and is let in; who lists all ports is sent few checks."""
    checked: list[RTCIceCandidate] = []

    async def add(candidate: RTCIceCandidate) -> None:
        checked.append(candidate)

    monkeypatch.setattr(pair.peer.pc, "addIceCandidate", add)
    others = "a=candidate:1 1 udp 1 198.51.100.7 9 typ host\r\n" * 50
    own = "".join(f"a=candidate:1 1 udp 1 127.0.0.1 {port} typ host\r\n" for port in range(1000, 1060))
    await pair.peer.answer(read_offer(await offer_to_watch(pair.other) + others), "127.0.0.1")
    pair.peer.trickle(read_fragment(own))
    await until(lambda: len(checked) >= MAX_OWN_CANDIDATES)
    await asyncio.gather(*pair.peer._adding)
    assert len(checked) == MAX_OWN_CANDIDATES


async def test_ids_and_tags_are_not_repeated() -> None:
    """Every connection has an id and an entity tag of its own; the tag is strong and quoted (RFC 9110)."""
    peers = [Pair().peer for _ in range(10)]
    assert len({peer.id for peer in peers}) == len({peer.etag for peer in peers}) == 10
    assert all(peer.etag.startswith('"') and peer.etag.endswith('"') for peer in peers)
    for peer in peers:
        await peer.close()


async def test_any_offer_is_answered_or_refused(pair: Pair) -> None:
    """A real offer with lines lost, doubled, cut or filled with junk is an answer or a 4xx, and nothing of it stays."""
    pair.other.addTransceiver("audio", direction="recvonly")
    lines = (await offer_to_watch(pair.other)).splitlines()
    chance = random.Random(6)
    before, tasks = descriptors(), asyncio.all_tasks()
    statuses = Counter([await answer_to(mangled(lines, chance)) for _ in range(300)])
    assert statuses[201] > 0
    assert statuses[400] > 0
    assert set(statuses) <= {201, 400, 406, 422}
    await until(lambda: descriptors() <= before and asyncio.all_tasks() <= tasks)


def mangled(lines: list[str], chance: random.Random) -> str:
    """An offer of which some lines were spoilt."""
    lines = list(lines)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, chance.choice(lines))
            case 2:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case 3:
                lines[at] += chance.choice(["\0", " ", "\u2028a=x", ":" * 300, "-1", "é"])
            case 4:
                lines[at] = re.sub(
                    r"\d+", lambda _: chance.choice(["0", "7", "256", "65536", "9" * 50]), lines[at], count=1
                )
            case _:
                lines[at] = chance.choice(["a=", "m=", "m=video", "a=rtpmap:x H264/90000", "a=group:BUNDLE", "="])
    return "\r\n".join(lines) + "\r\n"


async def answer_to(offer: str) -> int:
    """The HTTP status that an offer to watch gets."""
    peer = Peer("p", clock=FakeClock(), on_connected=lambda: None, on_closed=lambda: None)
    peer.pc.addTransceiver("video", direction="sendonly")
    try:
        await peer.answer(read_offer(offer))
    except Refused as refused:
        return refused.status
    else:
        return 201
    finally:
        await peer.close()
