"""streamer.source.transport_stream: what is put between packets, and that nothing else changes."""

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.transport_stream import SHOWN, SIZE, TransportStream
from tests.peers.rtp_packetizer import encoded

PID = 0x100


class Body:
    """Bytes, in pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def read(self, size: int) -> bytes:
        """The next piece."""
        if not self._pieces:
            return b""
        taken, self._pieces[0] = self._pieces[0][:size], self._pieces[0][size:]
        if not self._pieces[0]:
            del self._pieces[0]
        return taken


def packet(counter: int, payload: bytes, *, begins: bool = False, pid: int = PID) -> bytes:
    """One packet, filled up by stuffing where its payload does not fill it (ITU-T H.222.0 clause 2.4.3.2)."""
    room = SIZE - 4 - len(payload)
    stuffing = b"" if room == 0 else b"\0" if room == 1 else bytes((room - 1, 0)) + b"\xff" * (room - 2)
    control = 0x30 if stuffing else 0x10
    return bytes((0x47, begins << 6 | pid >> 8, pid & 0xFF, control | counter & 15)) + stuffing + payload


def picture(counter: int, pieces: Sequence[int]) -> list[bytes]:
    """The packets of a PES packet of video, with so many bytes in each."""
    head = b"\0\0\1\xe0\0\0\x80\0\0"
    return [
        packet(counter + at, (head if at == 0 else b"") + b"v" * (size - (len(head) if at == 0 else 0)), begins=at == 0)
        for at, size in enumerate(pieces)
    ]


def pictures(count: int, pieces: Sequence[int] = (184, 184, 100)) -> list[list[bytes]]:
    """So many of them."""
    return [picture(number * len(pieces), pieces) for number in range(count)]


def read(pieces: Sequence[bytes], size: int = 1 << 16) -> bytes:
    """All that is passed on."""
    stream = TransportStream(Body(pieces))
    return b"".join(iter(lambda: stream.read(size), b""))


def packets(data: bytes) -> Iterator[bytes]:
    """Cut into packets."""
    return (data[at : at + SIZE] for at in range(0, len(data), SIZE))


def is_nudge(found: bytes) -> bool:
    """Whether it is one of those that are put in."""
    return found[:1] == b"\x47" and found[4:6] == bytes((SIZE - 6, 0x80)) and found[-1:] == b"\0"


@given(data=st.binary(max_size=3000), cuts=st.lists(st.integers(1, 400), max_size=20), size=st.integers(1, 500))
def test_what_is_no_transport_stream_is_passed_on_as_it_is(data: bytes, cuts: list[int], size: int) -> None:
    """Whatever it is, and however it comes."""
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(data[at : at + cut])
        at += cut
    assert read([*pieces, data[at:]], size) == data


@given(
    shapes=st.lists(st.lists(st.sampled_from((20, 100, 183, 184)), min_size=1, max_size=4), max_size=40),
    junk=st.binary(max_size=300),
    size=st.integers(1, 700),
    step=st.integers(1, 600),
)
def test_nothing_is_lost_or_moved(shapes: list[list[int]], junk: bytes, size: int, step: int) -> None:
    """Whatever stuffing a sender uses, and whatever stands before it: without what was put in, it is what came."""
    sent, counter = [], 0
    for shape in shapes:
        sent += picture(counter, shape)
        counter += len(shape)
    data = junk + b"".join(sent)
    found = read([data[at : at + step] for at in range(0, len(data), step)], size)
    left = bytearray()
    at = 0
    while at < len(found):
        if is_nudge(found[at : at + SIZE]) and data[len(left) : len(left) + SIZE] != found[at : at + SIZE]:
            at += SIZE
            continue
        left.append(found[at])
        at += 1
    assert bytes(left) == data


def test_a_picture_is_told_to_have_ended_once_its_sender_has_shown_where_they_do() -> None:
    """Behind its last packet, which is filled up; its counter is that packet's, and said not to count."""
    sent = pictures(SHOWN + 3)
    found = list(packets(read([b"".join(map(b"".join, sent))])))
    nudges = [at for at, each in enumerate(found) if is_nudge(each)]
    assert len(nudges) == 3
    for at in nudges:
        assert found[at][3] & 15 == found[at - 1][3] & 15
        assert found[at - 1] in [each[-1] for each in sent]


def test_a_sender_that_fills_up_in_the_midst_is_not_believed() -> None:
    """Neither from the beginning, nor from the first time on that it does."""
    assert not any(map(is_nudge, packets(read([b"".join(map(b"".join, pictures(30, (100, 184, 100))))]))))
    late = [*pictures(SHOWN + 3), *pictures(30, (184, 100, 100))]
    found = [is_nudge(each) for each in packets(read([b"".join(map(b"".join, late))]))]
    assert sum(found) == 3 + 1  # once in the midst, and then no more


def test_a_lost_packet_is_no_stuffing_in_the_midst() -> None:
    """Where the counter says that something is missing, nothing is learned from what follows."""
    sent = pictures(SHOWN + 20)
    del sent[SHOWN + 5][0]
    found = [is_nudge(each) for each in packets(read([b"".join(map(b"".join, sent))]))]
    assert sum(found) > 15


def test_ffmpeg_reads_the_same_pictures() -> None:
    """What was put in changes no picture, no time and no key flag of a real muxer's."""
    units = encoded("libx264", ":slices=4", 40)
    pipe = bytearray()

    class Sink:
        def write(self, data: bytes) -> int:
            pipe.extend(data)
            return len(data)

    with av.open(Sink(), "w", format="mpegts") as sink:
        out = sink.add_stream("libx264", rate=25)
        assert isinstance(out, av.VideoStream)
        out.width, out.height, out.pix_fmt = 192, 160, "yuv420p"
        for number, unit in enumerate(units):
            one = av.Packet(unit)
            one.pts = one.dts = number
            one.time_base, one.stream = Fraction(1, 25), out
            sink.mux(one)
    data = bytes(pipe)
    chunks = [data[at : at + 1316] for at in range(0, len(data), 1316)]
    assert len(read(chunks)) > len(data)
    assert _seen(TransportStream(Body(chunks))) == _seen(Body(chunks))


def _seen(body: object) -> list[tuple[int | None, bool, bytes]]:
    with av.open(body, "r", format="mpegts") as container:
        return [(each.pts, each.is_keyframe, bytes(each)) for each in container.demux(video=0) if each.size]


def test_it_is_soon_done_with_hostile_bytes() -> None:
    """A million bytes that look like packets of a thousand streams keep it to what it may hold."""
    random_bytes = random.Random(1)
    made = [
        packet(
            random_bytes.getrandbits(4), b"\0\0\1\xe0" + random_bytes.randbytes(50), begins=True, pid=each % 1000 + 32
        )
        for each in range(5000)
    ]
    stream = TransportStream(Body([b"".join(made)]))
    assert stream.read(1 << 20)
    assert len(stream._videos) <= 32


@given(st.lists(st.binary(min_size=4, max_size=12), min_size=1, max_size=20))
def test_whatever_an_adaptation_field_claims_is_passed_on(heads: list[bytes]) -> None:
    """One that says that it is longer than its packet, or than what is in it, ends nothing."""
    begins = picture(0, (184, 184, 100))
    odd = [
        bytes((0x47, PID >> 8, PID & 0xFF, 0x30 | 3 + number & 15)) + head + b"\xff" * (SIZE - 4 - len(head))
        for number, head in enumerate([bytes((200, 3, 190, 255)), *heads])
    ]
    sent = b"".join(begins + odd + picture(3 + len(odd), (184, 100)))
    assert sent[: SIZE * 3] == read([sent])[: SIZE * 3]
    assert len(read([sent])) >= len(sent)
