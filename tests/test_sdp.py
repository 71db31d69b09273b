"""streamer.sdp: offers and fragments, before anything is made of them."""

import pytest

from streamer.errors import SessionError
from streamer.sdp import MAX_CANDIDATES, MAX_OFFER, read_fragment, read_offer, video_codecs

VIDEO = """\
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 00:11
a=setup:actpass
a=recvonly
a=rtpmap:96 H264/90000
"""
OFFER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + VIDEO.replace("\n", "\r\n")
CANDIDATE = "a=candidate:1 1 udp 2122260223 192.0.2.7 4242 typ host\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n"


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("", 400, "not an SDP offer"),
        ("garbage", 400, "not an SDP offer"),
        ("{}", 400, "not an SDP offer"),
        ("v=0\r\n", 400, "with a video section"),
        ("v=0\r\n" + AUDIO, 400, "with a video section"),
        (OFFER.replace("a=ice-ufrag:abcd\r\n", ""), 400, "a=ice-ufrag:"),
        (OFFER.replace("a=fingerprint:sha-256 00:11\r\n", ""), 400, "a=fingerprint:"),
        (OFFER + "a=candidate:nonsense\r\n", 400, "is not an ICE candidate"),
        (OFFER + "a=candidate:1 1 udp 1 192.0.2.7 99999 typ host\r\n", 400, "is not an ICE candidate"),
        (OFFER + CANDIDATE * (MAX_CANDIDATES + 1), 400, "more than 32 candidates"),
        (OFFER + CANDIDATE.replace("\r\n", "\x0b") * (MAX_CANDIDATES + 1), 400, "more than 32 candidates"),
        (OFFER + "a=x:" + "y" * MAX_OFFER, 413, "larger than 64 KiB"),
        (OFFER + VIDEO, 422, "more than one video"),
        (OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", 422, "'application'"),
        (OFFER + AUDIO * 4, 422, "5 media sections"),
    ],
)
def test_an_offer_that_is_not_worth_an_answer_is_refused(text: str, status: int, says: str) -> None:
    """Garbage and too much of anything are each refused with their HTTP status and one sentence."""
    with pytest.raises(SessionError) as refused:
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
    with pytest.raises(SessionError) as refused:
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
