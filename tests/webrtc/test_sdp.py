"""streamer.webrtc.sdp: offers and fragments, before anything is made of them."""

import pytest

from streamer.values.errors import Refused
from streamer.webrtc.sdp import (
    MAX_CANDIDATES,
    MAX_CODECS,
    MAX_LINES,
    MAX_OFFER,
    read_fragment,
    read_offer,
    video_codecs,
)

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
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n" + TRANSPORT + MUX


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
        (OFFER + CANDIDATE * (MAX_CANDIDATES + 1), 400, "more than 32 candidates"),
        (OFFER + CANDIDATE.replace("\r\n", "\x0b") * (MAX_CANDIDATES + 1), 400, "more than 32 candidates"),
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
    assert read_offer(spoken + AUDIO + "a=recvonly\r\n").direction == direction


def test_a_fragment_is_read_with_what_it_is_worth() -> None:
    """Of a fragment every candidate that can be read is kept, the others are ignored."""
    fragment = read_fragment(f"a=ice-ufrag:abcd\r\nm=video 9 x 0\r\na=mid:v\r\na=candidate:?\r\n{CANDIDATE}")
    assert fragment.ufrag == "abcd"
    assert not fragment.ended
    assert [candidate.sdpMid for candidate in fragment.candidates] == ["v"]
    assert read_fragment("a=end-of-candidates\r\n").ended


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
