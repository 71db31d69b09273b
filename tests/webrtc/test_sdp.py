"""streamer.webrtc.sdp: offers and fragments, before anything is made of them."""

import asyncio
from functools import cache

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.values.errors import Refused
from streamer.webrtc import MAX_OFFER
from streamer.webrtc.sdp import (
    MAX_CANDIDATES,
    MAX_CODECS,
    MAX_LINES,
    read_fragment,
    read_offer,
    video_codecs,
)
from tests.peers.rtc import make_pc, offer_to_watch

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
TRANSPORT = (
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 " + ":".join(["0a"] * 32) + "\r\n"
)
MUX = "a=rtcp-mux\r\n"
VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
    + TRANSPORT
    + MUX
    + "a=setup:actpass\r\na=recvonly\r\na=rtpmap:96 H264/90000\r\n"
)
OFFER = HEAD + VIDEO
CANDIDATE = "a=candidate:1 1 udp 2122260223 192.0.2.7 4242 typ host\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n" + TRANSPORT + MUX + "a=setup:actpass\r\n"


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("", 400, "not an SDP offer"),
        ("garbage", 400, "not an SDP offer"),
        ("{}", 400, "not an SDP offer"),
        ("v=0\r\n", 400, "with a video section"),
        ("v=0\r\n" + AUDIO, 400, "with a video section"),
        (OFFER.replace("a=ice-ufrag:abcd\r\n", ""), 400, "a=ice-ufrag:"),
        (OFFER.replace("a=fingerprint:", "a=x:"), 400, "a=fingerprint:"),
        (OFFER.replace("sha-256", "sha-1"), 400, "a=fingerprint:"),
        (OFFER.replace("0a:0a", "xy:0a"), 400, "a=fingerprint:"),
        (OFFER.replace("0a:0a", "0a"), 400, "a=fingerprint:"),
        (OFFER + "a=candidate:nonsense\r\n", 400, "is not an ICE candidate"),
        (OFFER + "a=candidate:1 1 udp 1 192.0.2.7 99999 typ host\r\n", 400, "is not an ICE candidate"),
        (OFFER + CANDIDATE * (MAX_CANDIDATES + 1), 400, f"more than {MAX_CANDIDATES} candidates"),
        (
            OFFER + CANDIDATE.replace("\r\n", "\x0b") * (MAX_CANDIDATES + 1),
            400,
            f"more than {MAX_CANDIDATES} candidates",
        ),
        (OFFER + "a=x:" + "y" * MAX_OFFER, 413, "larger than 64 KiB"),
        (OFFER + VIDEO, 422, "more than one video"),
        (OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", 422, "'application'"),
        (OFFER + AUDIO * 4, 422, "5 media sections"),
        (OFFER + AUDIO.replace(TRANSPORT, ""), 400, "a=ice-ufrag:"),
        (OFFER.replace("a=ice-pwd:abcdefghijklmnopqrstuv", "a=ice-pwd:"), 400, "a=ice-pwd:"),
        (OFFER.replace(MUX, ""), 422, "a=rtcp-mux"),
        (OFFER + AUDIO.replace("a=mid:1", "a=mid:0"), 400, "a=mid of its own"),
        (OFFER + AUDIO.replace("a=mid:1", "a=mid:1\r\na=mid:2"), 400, "a=mid of its own"),
        (OFFER.replace("t=0 0", "t=0 0\r\na=group:BUNDLE 7 0"), 400, "names a section that is not there"),
        (OFFER.replace("t=0 0", "t=0 0\r\na=group: BUNDLE 7"), 400, "names a section that is not there"),
        (OFFER.replace("a=setup:actpass\r\n", ""), 400, "a=setup:"),
        (OFFER.replace("a=setup:actpass", "a=setup:both"), 400, "cannot be read"),
        (OFFER.replace("a=ice-ufrag:abcd", "a=ice-ufrag:abcd\r\na=ice-ufrag:"), 400, "an empty a=ice-ufrag:"),
        (OFFER + "a=fmtp:96 packetization-mode\r\n", 400, "packetization-mode"),
        (OFFER + "a=fmtp:97 apt=96\r\n", 400, "cannot be read"),
        (OFFER + "a=rtcp-fb:* nack\r\n" * MAX_LINES, 400, "at most 512"),
        (OFFER + "a=rtpmap:97 VP8/90000\r\n" * MAX_CODECS, 400, "65 codecs"),
    ],
)
def test_an_offer_that_is_not_worth_an_answer_is_refused(text: str, status: int, says: str) -> None:
    """Garbage and too much of anything are each refused with their HTTP status and one sentence."""
    with pytest.raises(Refused) as refused:
        read_offer(text)
    assert refused.value.status == status
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_candidates_are_taken_out_of_an_offer() -> None:
    """What is left asks to be the DTLS client and has no candidates; they know their section."""
    offer = read_offer(OFFER.replace("a=recvonly\r\n", "a=recvonly\r\n" + CANDIDATE) + AUDIO)
    assert "candidate" not in offer.text
    assert "a=setup:active\r\n" in offer.text
    assert (offer.ufrag, offer.direction) == ("abcd", "recvonly")
    [candidate] = offer.candidates
    assert (candidate.ip, candidate.port, candidate.sdpMid, candidate.sdpMLineIndex) == ("192.0.2.7", 4242, "0", 0)


def test_what_is_said_once_for_all_sections_counts() -> None:
    """Credentials and fingerprint may stand before the first section (RFC 8839, RFC 8122), and a mid may be missing."""
    text = HEAD + TRANSPORT + "a=group:LS\r\na=group:\r\n" + VIDEO.replace(TRANSPORT, "").replace("a=mid:0\r\n", "")
    assert read_offer(text).ufrag == "abcd"


@pytest.mark.parametrize("direction", ["sendonly", "recvonly", "inactive", "sendrecv"])
def test_the_direction_is_the_video_sections(direction: str) -> None:
    """The direction is that of the video section, whatever the sound's is; without a word it is both (RFC 8866)."""
    spoken = OFFER.replace("a=recvonly\r\n", "" if direction == "sendrecv" else f"a={direction}\r\n")
    offer = read_offer(spoken + AUDIO + "a=recvonly\r\n")
    assert offer.direction == direction
    assert [media.direction for media in SessionDescription.parse(offer.text).media] == [direction, "recvonly"]


def test_a_direction_may_be_said_once_for_all() -> None:
    """What stands before the sections is meant where a section says nothing, and there alone (RFC 8866 section 6.7)."""
    spoken = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=inactive\r\n")
    assert read_offer(spoken.replace("a=recvonly\r\n", "")).direction == "inactive"
    assert read_offer(spoken).direction == "recvonly"


def test_a_fragment_is_read_with_what_it_is_worth() -> None:
    """Of a fragment every candidate that can be read is kept, the others are ignored."""
    fragment = read_fragment(f"a=ice-ufrag:abcd\r\nm=video 9 x 0\r\na=mid:v\r\na=candidate:?\r\n{CANDIDATE}")
    assert fragment.ufrag == "abcd"
    assert [candidate.sdpMid for candidate in fragment.candidates] == ["v"]
    assert read_fragment("a=end-of-candidates\r\n").candidates == ()


@pytest.mark.parametrize(("text", "status"), [("<html>", 400), ("a=x\r\n" * MAX_OFFER, 413)])
def test_a_fragment_that_is_none_is_refused(text: str, status: int) -> None:
    """What is no fragment, and one that is too large, are refused."""
    with pytest.raises(Refused) as refused:
        read_fragment(text)
    assert refused.value.status == status


def test_codecs_are_in_the_answers_order() -> None:
    """The codec that will be used comes first, as the m= line has it, not the lines below."""
    answer = (
        "v=0\r\nm=audio 9 x 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 9 x 99 100 97\r\n"
        "a=rtpmap:97 VP8/90000\r\na=rtpmap:99 H264/90000\r\na=rtpmap:100 rtx/90000\r\n"
    )
    assert list(video_codecs(answer).items()) == [(99, "H264"), (100, "rtx"), (97, "VP8")]
    assert video_codecs("v=0\r\n") == {}


# ---- whatever comes

ANYTHING = settings(max_examples=300)

JUNK = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["\0", "\u2028", "\x0b", ":" * 300, "-1", "9" * 5000, "\ud800", "٣", "\r", "\t"]),
)
NAMES = st.sampled_from(
    ["extmap", "fingerprint", "fmtp", "group", "ice-ufrag", "mid", "msid", "rtcp", "rtcp-fb", "rtpmap", "setup", "ssrc"]
)
LINES = st.one_of(
    JUNK,
    st.builds("{}={}".format, st.sampled_from("vostcam"), JUNK),
    st.builds("a={}:{}".format, NAMES, JUNK),
    st.builds("m={} {} {} {}".format, st.sampled_from(["audio", "video", "application"]), JUNK, JUNK, JUNK),
    st.builds("a=candidate:{} {} udp {} {} {} typ host {} {}".format, JUNK, JUNK, JUNK, JUNK, JUNK, JUNK, JUNK),
)


@cache
def real_offer() -> tuple[str, ...]:
    """The lines of an offer of sound and video, with its candidates."""

    async def make() -> str:
        pc = make_pc()
        pc.addTransceiver("audio", direction="recvonly")
        offer = await offer_to_watch(pc)
        await pc.close()
        return offer

    return tuple(asyncio.run(make()).splitlines())


@st.composite
def spoilt_offers(draw: st.DrawFn) -> str:
    """A real offer of which a few lines were lost, doubled, cut, moved, or filled with junk."""
    lines = list(real_offer())
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        cut = draw(st.integers(0, len(lines[at])))
        match draw(st.sampled_from(["lose", "double", "move", "cut", "fill", "put", "repeat"])):
            case "lose":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "cut":
                lines[at] = lines[at][:cut]
            case "fill":
                lines[at] = lines[at][:cut] + draw(JUNK) + lines[at][cut:]
            case "put":
                lines.insert(at, draw(LINES))
            case _:
                lines[at:at] = [lines[at]] * draw(st.integers(1, 2 * MAX_LINES))
    return draw(st.sampled_from(["\r\n", "\n"])).join(lines) + "\r\n"


def read_or_refused(text: str) -> None:
    """Read a text as an offer and as a fragment: each is read, or refused in one sentence that blames the text."""
    for read in (read_offer, read_fragment):
        try:
            found = read(text)
        except Refused as refused:
            assert refused.status in (400, 413, 422)  # noqa: PT017  both outcomes are right
            assert 0 < len(str(refused).splitlines()) <= 1  # noqa: PT017
        else:
            assert len(found.candidates) <= MAX_CANDIDATES


@ANYTHING
@given(st.one_of(st.text(), st.lists(LINES, max_size=40).map("\r\n".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a body says, it is read or refused in one sentence; no other error leaves the reader."""
    read_or_refused(text)
    read_or_refused("v=0\r\n" + text)
    read_or_refused(OFFER + text)


@ANYTHING
@given(spoilt_offers())
def test_a_spoilt_offer_is_read_or_refused(text: str) -> None:
    """So is a real offer that was damaged on its way; what is read has one video section, no candidates, directions."""
    read_or_refused(text)
    try:
        offer = read_offer(text)
    except Refused:
        return
    media = SessionDescription.parse(offer.text).media
    assert [section.kind for section in media].count("video") == 1
    assert all(section.direction is not None and not section.ice_candidates for section in media)


@pytest.mark.parametrize("line", ["a=candidate:" + "1 " * 8, "m=audio 9 x 0", "a=group:BUNDLE 0", "a=mid:0", "a=x", ""])
def test_as_much_as_may_be_sent_is_read_or_refused(line: str) -> None:
    """A body as large as is taken, all of it one line again and again, is no exception."""
    read_or_refused(OFFER + f"{line}\r\n" * ((MAX_OFFER - len(OFFER)) // (len(line) + 2)))
    read_or_refused(OFFER + line + "9" * (MAX_OFFER - len(OFFER) - len(line)))
