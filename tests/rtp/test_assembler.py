"""streamer.rtp.assembler: packets lost, late, doubled and out of order; the clock is moved by hand."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.assembler import PATIENCE, STRANGER_AFTER, Assembler
from streamer.rtp.packet import Packet
from streamer.rtp.payload import Entry, Payload
from streamer.rtp.picture import Picture
from streamer.rtp.recovery import REFRESH
from streamer.rtp.waiting import CAPACITY

FRAME_TICKS = 3000

Piece = tuple[Packet, Payload]


def pieces(
    frame: int, count: int = 3, *, key: bool = False, first: int | None = None, ssrc: int = 1, marker: bool = True
) -> list[Piece]:
    """The packets of frame number `frame`, each frame having `count`; sequence numbers follow from that."""
    start = frame * count if first is None else first
    return [
        (
            Packet(96, marker and at == count - 1, start + at & 0xFFFF, frame * FRAME_TICKS & 0xFFFF_FFFF, ssrc, b""),
            Payload(
                bytes([frame % 256, at]),
                opens=at == 0,
                entry=Entry.KEY if key and at == 0 else Entry.NONE,
                parameter_sets=key and at == 0,
            ),
        )
        for at in range(count)
    ]


def whole(frame: int, count: int = 3) -> bytes:
    """The data of a frame of `pieces`."""
    return b"".join(bytes([frame % 256, at]) for at in range(count))


def put(assembler: Assembler, *packets: Piece, now: float = 0.0) -> list[bytes]:
    """Put packets; gives the pictures' data."""
    return [picture.data for packet in packets for picture in assembler.put(*packet, now)]


def test_a_picture_is_out_with_its_last_packet() -> None:
    """Nothing of the next picture is waited for: the marker ends one."""
    assembler = Assembler()
    assert put(assembler, *pieces(0, key=True)) == [whole(0)]
    assert put(assembler, *pieces(1)[:2]) == []
    assert put(assembler, pieces(1)[2]) == [whole(1)]
    assert not assembler.missing()


def test_a_sender_without_markers_is_understood() -> None:
    """Where no marker comes the next picture's timestamp ends one."""
    assembler = Assembler()
    packets = [*pieces(0, key=True, marker=False), *pieces(1, marker=False), *pieces(2, marker=False)]
    assert put(assembler, *packets) == [whole(0), whole(1)]


def test_nothing_comes_before_a_keyframe() -> None:
    """Pictures that need others are dropped until one comes that does not."""
    assembler = Assembler()
    assert put(assembler, *pieces(0), *pieces(1)) == []
    assert assembler.wants_keyframe
    assert put(assembler, *pieces(2, key=True), *pieces(3)) == [whole(2), whole(3)]
    assert not assembler.wants_keyframe


def test_a_picture_has_its_times() -> None:
    """A picture's pts is the sender's, in seconds; it arrived with its first packet."""
    assembler = Assembler()
    found: list[Picture] = []
    for at, piece in enumerate([*pieces(0, key=True), *pieces(1)]):
        found += assembler.put(*piece, at * 0.01)
    assert [(picture.pts, picture.received_at, picture.is_keyframe) for picture in found] == [
        (0.0, 0.0, True),
        (pytest.approx(1 / 30), 0.03, False),
    ]


def test_a_repeat_does_not_make_a_picture_younger() -> None:
    """A picture arrived when its first packet first came, however often that one is sent again."""
    assembler = Assembler()
    first, *others = pieces(0, key=True)
    found: list[Picture] = []
    for piece, now in ((first, 1.0), (first, 1.2), *((other, 1.3) for other in others)):
        found += assembler.put(*piece, now)
    assert [picture.received_at for picture in found] == [1.0]


@pytest.mark.parametrize("seed", range(20))
def test_disorder_and_repeats_change_nothing(seed: int) -> None:
    """Packets that overtake each other, or come twice, give the same pictures in the same order."""
    chance = random.Random(seed)
    packets = [piece for frame in range(40) for piece in pieces(frame, 1, key=frame == 0)]
    for at in range(1, len(packets) - 4, 4):
        window = packets[at : at + 4]
        chance.shuffle(window)
        packets[at : at + 4] = window
    packets[1:] = [piece for piece in packets[1:] for _ in range(chance.randint(1, 2))]
    assert put(Assembler(), *packets) == [whole(frame, 1) for frame in range(40)]


def test_a_lost_packet_is_named_and_waited_for() -> None:
    """While a packet is missing nothing behind it comes out; when it is sent again everything does, at once."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    lost, *others = pieces(1)
    assert put(assembler, *others, *pieces(2)) == []
    assert assembler.missing() == [lost[0].sequence]
    assert assembler.tick(PATIENCE / 2) == []
    assert put(assembler, lost, now=PATIENCE / 2) == [whole(1), whole(2)]
    assert assembler.lost == 0


def test_a_packet_that_never_comes_is_given_up() -> None:
    """After its time nothing comes out but the next keyframe, which is asked for."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    put(assembler, *pieces(1)[1:], *pieces(2))
    assert assembler.tick(PATIENCE) == []
    assert assembler.wants_keyframe
    assert assembler.lost == 1
    assert put(assembler, *pieces(3), now=PATIENCE) == []
    assert put(assembler, *pieces(4, key=True), *pieces(5), now=PATIENCE) == [whole(4), whole(5)]


def test_a_keyframe_that_is_here_already_ends_the_wait() -> None:
    """When a loss is given up, a keyframe behind it comes out at once."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    put(assembler, *pieces(1)[1:], *pieces(2, key=True), *pieces(3))
    assert [picture.data for picture in assembler.tick(PATIENCE)] == [whole(2), whole(3)]
    assert not assembler.wants_keyframe


def test_a_picture_on_its_way_is_told_from_a_hole() -> None:
    """From its first packet to its last a picture is being gathered, unless something of it is missing."""
    assembler = Assembler()
    first, second, third = pieces(1, key=True)
    steps = []
    for piece in (pieces(0)[0], first, third, second, pieces(2)[0]):
        put(assembler, piece)
        steps.append(assembler.gathering)
    assert steps == [False, True, False, False, True]


def test_half_a_keyframe_is_none() -> None:
    """A keyframe that lost a packet is not shown, and not begun again in its middle."""
    assembler = Assembler()
    broken = pieces(0, 4, key=True)
    put(assembler, broken[0], *broken[2:], *pieces(1, 4))
    assert assembler.tick(PATIENCE) == []
    assert assembler.wants_keyframe
    assert put(assembler, broken[1], now=PATIENCE) == []


def test_each_loss_has_its_own_patience() -> None:
    """A second gap is not given up for the time that the first one took."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    put(assembler, *pieces(1)[1:], *pieces(2)[1:])
    assert put(assembler, pieces(1)[0], now=0.9 * PATIENCE) == [whole(1)]
    assert assembler.tick(1.1 * PATIENCE) == []
    assert not assembler.wants_keyframe
    assert put(assembler, pieces(2)[0], now=1.2 * PATIENCE) == [whole(2)]


def test_what_waits_is_bounded() -> None:
    """However much comes behind a lost packet, no more than so many packets are kept."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    for frame in range(2, CAPACITY):
        put(assembler, *pieces(frame))
        assert len(assembler._waiting.pieces) <= CAPACITY + 1
    assert assembler.lost == 1


@pytest.mark.parametrize("start", [0xFFFD, 0xFFFE, 0xFFFF])
def test_numbers_wrap(start: int) -> None:
    """Sequence numbers and timestamps go on through their ends."""
    assembler = Assembler()
    frames = range(0x1_0000_0000 // FRAME_TICKS - 1, 0x1_0000_0000 // FRAME_TICKS + 3)
    found: list[Picture] = []
    for at, frame in enumerate(frames):
        for piece in pieces(frame, key=at == 0, first=start + 3 * at):
            found += assembler.put(*piece, 0.0)
    times = [picture.pts - found[0].pts for picture in found]
    assert times == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30])


def test_a_sender_that_starts_anew_is_followed() -> None:
    """A leap of the sequence numbers is a new beginning, at a keyframe."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    assert put(assembler, *pieces(1, first=20_000)) == []
    assert put(assembler, *pieces(2, first=20_003, key=True)) == [whole(2)]


def test_one_layer_of_several_is_taken() -> None:
    """While one SSRC sends, others are layers of the same camera; when it is silent the next one is the camera."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    assert put(assembler, *pieces(0, key=True, ssrc=2), now=STRANGER_AFTER / 2) == []
    assert put(assembler, *pieces(1), now=STRANGER_AFTER / 2) == [whole(1)]
    assert put(assembler, *pieces(7, key=True, ssrc=2), now=2 * STRANGER_AFTER) == [whole(7)]


def test_padding_is_no_picture() -> None:
    """Empty packets between pictures, with which browsers probe the bandwidth, are passed over."""
    assembler = Assembler()
    put(assembler, *pieces(0, key=True))
    padding = [(Packet(96, False, 3 + at, 0, 1, b""), Payload(b"", has_picture=False)) for at in range(2)]
    assert put(assembler, *padding, *pieces(1, first=5)) == [whole(1)]


def test_over_tcp_a_gap_is_final() -> None:
    """Without patience nothing is waited for, and what was lost is counted in packets."""
    assembler = Assembler(patience=0)
    put(assembler, *pieces(0, key=True))
    assert put(assembler, *pieces(1)[2:], *pieces(2), *pieces(3, key=True)) == [whole(3)]
    assert (assembler.lost, assembler.lost_packets) == (1, 2)
    assert assembler.missing() == []


def renumbered(frames: int, number: Callable[[int], int]) -> list[Piece]:
    """Frames, every tenth a key, whose packets have other numbers, and payloads that differ."""
    packets = [piece for frame in range(frames) for piece in pieces(frame, key=frame % 10 == 0)]
    return [(replace(p, sequence=number(at) & 0xFFFF, payload=load.data), load) for at, (p, load) in enumerate(packets)]


@pytest.mark.parametrize(
    "number",
    [lambda _: 0, lambda at: 2 * at, lambda at: at + at // 3, lambda at: at % 3, lambda at: -at, lambda at: at * 9001],
)
def test_over_tcp_numbers_that_mean_nothing_are_not_believed(number: Callable[[int], int]) -> None:
    """Numbers that stand still, count other tracks, or follow nothing: after a few pictures packets go as they come."""
    assembler = Assembler(patience=0)
    assert put(assembler, *renumbered(100, number))[-80:] == [whole(frame) for frame in range(20, 100)]
    assert not assembler.numbered


def test_over_tcp_numbers_begin_again_where_the_sender_does() -> None:
    """A number behind the newest is where the sender goes on; a packet sent twice is taken once."""
    assembler = Assembler(patience=0)
    packets = renumbered(40, lambda at: 65_530 + at if at < 60 else at - 40)
    found = put(assembler, *(piece for piece in packets for _ in range(2)))
    assert found == [whole(frame) for frame in (*range(20), *range(20, 40))]
    assert (assembler.lost, assembler.numbered) == (1, True)


def test_over_tcp_a_few_losses_are_losses() -> None:
    """A camera that leaves packets out of some pictures in a row is believed."""
    assembler = Assembler(patience=0)
    packets = [p for at, p in enumerate(renumbered(40, lambda at: at)) if not (at % 3 == 1 and 33 < at < 48)]
    assert put(assembler, *packets) == [whole(frame) for frame in (*range(11), *range(20, 40))]
    assert assembler.numbered


def test_a_sender_that_starts_anew_nearby_is_followed() -> None:
    """Numbers a little behind, several in a row, are a sender's that counts anew, not late ones for ever."""
    assembler = Assembler()
    put(assembler, *pieces(500, key=True))
    assert put(assembler, *pieces(400), *pieces(401)) == []
    assert put(assembler, *pieces(402, key=True)) == [whole(402)]


def test_a_picture_too_large_is_dropped_before_it_is_kept() -> None:
    """A picture beyond the limit is counted, none of it kept, and decoding begins anew behind it."""
    assembler = Assembler(max_bytes=10)
    put(assembler, *pieces(0, 5, key=True))
    assert put(assembler, *pieces(1, 6, key=True, first=5)) == []
    assert assembler._gathering.unit is not None
    assert (assembler.too_large, bytes(assembler._gathering.unit.data), assembler.wants_keyframe) == (1, b"", True)
    assert put(assembler, *pieces(2, 3, first=11), *pieces(3, 3, first=14, key=True)) == [whole(3)]


@given(
    st.lists(st.tuples(st.integers(0, 3200), st.integers(0, 3), st.booleans(), st.booleans()), max_size=200),
    st.sampled_from([0, PATIENCE]),
)
def test_memory_is_bounded_whatever_comes(packets: list[tuple[int, int, bool, bool]], patience: float) -> None:
    """However packets leap, repeat and never end a picture, no more is kept than a picture may have."""
    assembler, now = Assembler(patience=patience, max_bytes=5000), 0.0
    for leap, time, marker, opens in packets:
        for number in range(leap, leap + 8):
            payload = Payload(bytes(300), opens=opens, has_picture=marker or opens)
            assembler.put(Packet(96, marker, number & 0xFFFF, time, 1, b""), payload, now)
            now += 0.001
            assembler.tick(now)
            waiting = sum(len(payload.data) for _, payload, _ in assembler._waiting.pieces.values())
            assert waiting == assembler._waiting.bytes <= 5000
            assert assembler._gathering.unit is None or len(assembler._gathering.unit.data) <= 5000


def test_parameter_sets_come_from_the_sdp_until_some_come_in_band() -> None:
    """Pictures to begin with have them in front, up to the first with its own, which may have changed, included."""
    assembler = Assembler(parameter_sets=b"sets")
    bare = [(packet, replace(payload, parameter_sets=False)) for packet, payload in pieces(0, key=True)]
    assert put(assembler, *bare, *pieces(1)) == [b"sets" + whole(0), whole(1)]
    later = [(packet, replace(payload, parameter_sets=False)) for packet, payload in pieces(3, key=True)]
    assert put(assembler, *pieces(2, key=True), *later) == [b"sets" + whole(2), whole(3)]


def test_heads_belong_to_the_picture_behind_them() -> None:
    """Parameter sets with a time and a marker of their own are the next picture's, which has its own time."""
    assembler = Assembler()
    head = Packet(96, True, 2, 10, 1, b""), Payload(b"sets", opens=True, parameter_sets=True, has_picture=False)
    [picture] = [*assembler.put(*head, 0.0), *(p for piece in pieces(1, key=True) for p in assembler.put(*piece, 0.5))]
    assert (picture.data, picture.pts, picture.received_at) == (b"sets" + whole(1), FRAME_TICKS / 90_000, 0.5)


def test_an_end_that_was_left_out_is_added() -> None:
    """Each picture ends as its format wants, once."""
    assembler = Assembler(ending=bytes([1, 2]))
    assert put(assembler, *pieces(0, key=True), *pieces(1, 3)) == [whole(0) + bytes([1, 2]), whole(1)]


def test_a_stream_that_only_refreshes_is_shown() -> None:
    """Where nothing to begin with comes, any picture does in the end; it is marked until it was refreshed."""
    assembler = Assembler(refresh_after=2.0)
    packets = [(piece, frame / 10) for frame in range(100) for piece in pieces(frame)]
    found = [picture for piece, now in packets for picture in assembler.put(*piece, now)]
    assert (found[0].received_at, found[0].is_keyframe, found[0].is_whole) == (4.0, True, False)
    assert not any(picture.is_keyframe for picture in found[1:])
    assert next(picture.received_at for picture in found if picture.is_whole) == 4.0 + REFRESH


def test_a_loss_does_not_make_a_refreshing_stream_wait_again() -> None:
    """A sender that was seen to send nothing to begin with is gone on with at once, marked again."""
    assembler = Assembler(refresh_after=2.0, patience=0)
    for frame in range(100):
        for piece in pieces(frame):
            assembler.put(*piece, frame / 10)
    found = [picture for piece in pieces(102) for picture in assembler.put(*piece, 10.2)]
    assert [(picture.is_keyframe, picture.is_whole) for picture in found] == [(True, False)]
