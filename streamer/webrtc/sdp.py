"""What a peer says in SDP, checked before anything of it costs more than reading: offers, and candidates after them.

RFC 8866 is the format, RFC 8839 candidates and credentials, RFC 8840 `application/trickle-ice-sdpfrag`. Candidates are
taken out of an offer and added afterwards, as if they had trickled in: aiortc would look up one .local name after the
other, a second each, before it answered.
"""

import re
from dataclasses import dataclass
from typing import Literal

from aiortc import RTCIceCandidate
from aiortc.sdp import SessionDescription, candidate_from_sdp

from streamer.values.errors import Refused
from streamer.webrtc import MAX_OFFER

MAX_CANDIDATES = 128
"""In an offer, and again in all that trickles in after it. GStreamer sends some for each address of its machine, and
one that runs containers has dozens."""
MAX_SECTIONS = 4
"""Media sections: one video, and what players offer beside it."""
MAX_LINES = 512
"""Of an offer; a browser's for sound and video has about 200. aiortc looks through the codecs for every line about one:
an offer of 60 kB made of such lines holds it for three seconds."""
MAX_CODECS = 64
"""In a section; a browser's has about 40."""

_HEX = "[0-9A-F]{2}"
FINGERPRINT = re.compile(
    rf"a=fingerprint:sha-(?:256 {_HEX}(?::{_HEX}){{31}}|384 {_HEX}(?::{_HEX}){{47}}|512 {_HEX}(?::{_HEX}){{63}})",
    re.IGNORECASE,
)
"""Of the certificate a peer will show (RFC 8122 section 5), by the digests that aiortc knows."""

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that is worth an answer."""

    text: str
    """Without its candidates, asking to be the DTLS client, and with a direction in each section: one that aiortc can
    act on."""
    candidates: tuple[RTCIceCandidate, ...]
    ufrag: str
    direction: Direction
    """Of its one video section."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """What trickles in after an offer."""

    candidates: tuple[RTCIceCandidate, ...]
    """Those that can be read; a candidate that cannot is ignored (RFC 9725 section 4.3.2)."""
    ufrag: str | None


def read_offer(text: str) -> Offer:
    """Check an offer.

    Raises:
        Refused: 400 malformed, 413 too large, 422 well formed, and asking for what is not done here.
    """
    lines = _lines(text, "SDP offer")
    if not lines or lines[0] != "v=0" or not any(line.startswith("m=video ") for line in lines):
        raise Refused(400, "the body is not an SDP offer with a video section")
    kept = _for_aiortc(lines)
    sections = _sections(kept)
    direction = _direction(sections)
    _require_one_transport(kept, sections)
    candidates = _candidates(lines, strict=True)
    body = "\r\n".join(kept) + "\r\n"
    _require_readable(body)
    return Offer(body, candidates, _value(lines, "a=ice-ufrag:") or "", direction)


def read_fragment(text: str) -> Fragment:
    """Check a trickle-ICE fragment.

    Raises:
        Refused: 400 no fragment, 413 too large.
    """
    lines = _lines(text, "fragment")
    if not all(re.match(r"[a-z]=", line) for line in lines if line):
        raise Refused(400, "the body is not an SDP fragment (RFC 8840)")
    return Fragment(_candidates(lines, strict=False), _value(lines, "a=ice-ufrag:"))


def video_codecs(answer: str) -> dict[int, str]:
    """The video codecs of an answer by payload type, the one that will be used first: "H264", "VP8", "rtx"."""
    for section in _sections(answer.splitlines()):
        if section[0].startswith("m=video "):
            named = {int(found[1]): found[2] for line in section if (found := re.match(r"a=rtpmap:(\d+) (\w+)/", line))}
            order = [int(payload) for payload in section[0].split()[3:] if payload.isdigit()]
            return {payload: named[payload] for payload in order if payload in named}
    return {}


def _lines(text: str, what: str) -> list[str]:
    if len(text) > MAX_OFFER:
        raise Refused(413, f"the {what} is larger than {MAX_OFFER // 1024} KiB")
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise Refused(400, f"the {what} has {len(lines)} lines; at most {MAX_LINES} are read")
    return lines


def _sections(lines: list[str]) -> list[list[str]]:
    """Each media section's lines, its m= line first."""
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        if sections:
            sections[-1].append(line)
    return sections


def _direction(sections: list[list[str]]) -> Direction:
    """The direction of the one video section."""
    if len(sections) > MAX_SECTIONS:
        raise Refused(422, f"the SDP offer has {len(sections)} media sections; at most {MAX_SECTIONS} are taken")
    kinds = [section[0].removeprefix("m=").split(" ")[0] for section in sections]
    for kind in kinds:
        if kind not in ("audio", "video"):
            raise Refused(422, f"the SDP offer has a section of {kind[:20]!r}; allowed are audio and video")
    if kinds.count("video") > 1:
        raise Refused(422, "the SDP offer has more than one video section; a session carries one")
    video = sections[kinds.index("video")]
    directions: tuple[Direction, ...] = ("sendonly", "recvonly", "inactive")
    return next((direction for direction in directions if f"a={direction}" in video), "sendrecv")


def _require_one_transport(lines: list[str], sections: list[list[str]]) -> None:
    """Check that the sections can share one port (RFC 9143 for media, RFC 5761 for reports), and are of a sane size."""
    session = lines[: lines.index(sections[0][0])]
    for section in sections:
        for needed in ("a=ice-ufrag:", "a=ice-pwd:"):
            if not _value(section, needed) and not _value(session, needed):
                raise Refused(400, f"a section of the SDP offer has no {needed}… line, which WebRTC needs")
        if not any(FINGERPRINT.fullmatch(line) for line in (*session, *section)):
            raise Refused(400, "a section of the SDP offer has no whole a=fingerprint:… of sha-256, -384 or -512")
        codecs = sum(line.startswith("a=rtpmap:") for line in section)
        if codecs > MAX_CODECS:
            raise Refused(400, f"a section of the SDP offer has {codecs} codecs; at most {MAX_CODECS} are read")
        if "a=rtcp-mux" not in section:
            raise Refused(422, "a section of the SDP offer has no a=rtcp-mux; media and reports share one port here")
    named = [[line.removeprefix("a=mid:") for line in section if line.startswith("a=mid:")] for section in sections]
    mids = {found[0] if found else "" for found in named}
    if len(mids) < len(sections) or any(len(found) > 1 for found in named):
        raise Refused(400, "each section of the SDP offer needs an a=mid of its own")
    groups = [line.removeprefix("a=group:").split() for line in lines if line.startswith("a=group:")]
    for semantics, *members in filter(None, groups):
        if semantics == "BUNDLE" and not mids.issuperset(members):
            raise Refused(400, "a=group:BUNDLE of the SDP offer names a section that is not there")


def _for_aiortc(lines: list[str]) -> list[str]:
    """An offer's lines as aiortc takes them."""
    kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    # As DTLS server aiortc talks to RSA peers too (GStreamer); as client it offers ECDSA ciphers alone.
    kept = ["a=setup:active" if line == "a=setup:actpass" else line for line in kept]
    sections = _sections(kept)
    session = kept[: len(kept) - sum(map(len, sections))]
    spoken = next((line for line in session if line in DIRECTIONS), "a=sendrecv")  # RFC 8866 section 6.7
    for section in sections:
        if not any(line in DIRECTIONS for line in section):
            section.insert(1, spoken)
    return session + [line for section in sections for line in section]


def _require_readable(text: str) -> None:
    """Check what aiortc would trip over. What fails once it acts on an offer is then no fault of the offer's."""
    try:
        description = SessionDescription.parse(text)
    except Exception as error:  # it reads and does no more, and trips over bad text in every way there is
        raise Refused(400, "the SDP offer cannot be read") from error
    for media in description.media:
        if media.dtls is None:
            raise Refused(400, "a section of the SDP offer has no a=setup:… line, which WebRTC needs")
        if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
            raise Refused(400, "a section of the SDP offer has an empty a=ice-ufrag:… or a=ice-pwd:… line")
        if any(codec.parameters.get("packetization-mode", "0") is None for codec in media.rtp.codecs):
            raise Refused(400, "a packetization-mode of the SDP offer has no value, which is a number (RFC 6184)")


def _candidates(lines: list[str], *, strict: bool) -> tuple[RTCIceCandidate, ...]:
    found: list[RTCIceCandidate] = []
    count, section = 0, -1
    mid: str | None = None
    for line in lines:
        if line.startswith("m="):
            section, mid = section + 1, None
        elif line.startswith("a=mid:"):
            mid = line.removeprefix("a=mid:")
        elif line.startswith("a=candidate:"):
            count += 1
            if count > MAX_CANDIDATES:
                raise Refused(400, f"there are more than {MAX_CANDIDATES} candidates")
            candidate = _candidate(line)
            if candidate is not None:
                candidate.sdpMid, candidate.sdpMLineIndex = mid, max(section, 0)
                found.append(candidate)
            elif strict:
                raise Refused(400, f"{line[:80]!r} is not an ICE candidate (RFC 8839)")
    return tuple(found)


def _candidate(line: str) -> RTCIceCandidate | None:
    try:
        candidate = candidate_from_sdp(line.removeprefix("a=candidate:"))
    except (AssertionError, ValueError):
        return None
    return candidate if 0 <= candidate.port <= 65535 else None


def _value(lines: list[str], prefix: str) -> str | None:
    return next((line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix)), None)
