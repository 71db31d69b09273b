"""streamer.source.rtsp.message: the bytes of a connection taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.rtsp.message import (
    CAPACITY,
    MAX_BODY,
    MAX_HEAD,
    Chunk,
    Fields,
    Inbox,
    Message,
    Request,
    Response,
    write,
)
from streamer.values.errors import SourceError
from tests.peers.rtsp_camera import chunk


def feed(inbox: Inbox, data: bytes, step: int = 1 << 20, run: int | None = None) -> list[Chunk | Message]:
    """What comes out of bytes that come by so many at a time; the packets of the channel `run` in runs."""
    found: list[Chunk | Message] = []
    while data:
        room = inbox.room()
        assert len(room), "there is always room"
        taken = data[: min(step, len(room))]
        room[: len(taken)] = taken
        inbox.filled(len(taken))
        data = data[len(taken) :]
        while True:
            if run is not None:
                found += ((run, packet) for packet in inbox.run(run))
            if (item := inbox.take()) is None:
                break
            found.append(item)
    return found


ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4\r\n\r\nv=0\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1 << 20])
def test_what_comes_is_taken_apart_however_it_is_cut(step: int) -> None:
    """Packets and messages come out whole and in order, whatever each read brings."""
    data = (
        chunk(0, b"abc")
        + ANSWER
        + chunk(1, b"")
        + b"\r\n"
        + ANSWER
        + b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n"
        + chunk(7, b"x")
    )
    first, second, third, fourth, fifth, sixth = feed(Inbox(), data, step)
    answer = Response(200, "OK", Fields((("cseq", "1"), ("content-length", "4"))), b"v=0\n")
    assert [first, second, third, fourth] == [(0, b"abc"), answer, (1, b""), answer]
    assert fifth == Request("OPTIONS", "*", Fields((("cseq", "9"),)))
    assert sixth == (7, b"x")


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"RTSP/1.0 200\r\ncseq:1\r\n\r\n", Response(200, "", Fields((("cseq", "1"),)))),
        (b"RTSP/1.0 200 OK\nCSEQ : 1\n\n", Response(200, "OK", Fields((("cseq", "1"),)))),
        (b"rtsp/2.0 404 Not  Found\r\n\r\n", Response(404, "Not  Found", Fields())),
        (b"RTSP/1.0 200 OK\r\nP: A,\r\n\tB\r\n  ,C\r\n\r\n", Response(200, "OK", Fields((("p", "A, B ,C"),)))),
        (b"RTSP/1.0 200 OK\r\nno field\r\n: x\r\n\r\n", Response(200, "OK", Fields((("", "x"),)))),
        (b"RTSP/1.0 401 \xdc\r\nCSeq: 1\r\n\r\n", Response(401, "Ü", Fields((("cseq", "1"),)))),
    ],
    ids=["no reason", "bare line feeds", "lower case", "folded", "no colon", "not ASCII"],
)  # fmt: skip
def test_a_head_is_read_as_cameras_write_it(head: bytes, found: Response) -> None:
    """What RFC 2326 allows, and what cameras write beside it, is understood."""
    assert feed(Inbox(), head) == [found]


def test_fields_are_found_by_name() -> None:
    """The first of a name, all of it, and None where there is none."""
    (found,) = feed(Inbox(), b"RTSP/1.0 401 No\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n")
    assert isinstance(found, Response)
    assert (found.fields.get("a"), list(found.fields.all("a")), found.fields.get("c")) == ("1", ["1", "3"], None)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"),
        (b"\x16\x03\x01\x02", "protocol"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol"),
        (b"RTSP/1.0 abc OK\r\n\r\n", "protocol"),
        (b"HELLO WORLD\r\n\r\n", "protocol"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", "protocol"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 2000000000\r\n\r\n", "too_large"),
        (b"RTSP/1.0 200 OK\r\nX: " + b"a" * MAX_HEAD, "too_large"),
        (b"RTSP/1.0 200 OK\r\n" + b"X: a\r\n" * (MAX_HEAD // 6) + b"\r\n", "too_large"),
    ],
    ids=["HTTP", "TLS", "SSH", "status", "words", "negative", "body", "line", "lines"],
)
def test_what_is_no_rtsp_or_too_much_of_it_is_refused(data: bytes, kind: str) -> None:
    """Garbage, and a head or a body beyond the limits, is one error with a sentence, before memory is taken."""
    for step in (1, 1 << 20):
        with pytest.raises(SourceError) as refused:
            feed(Inbox(), data, step)
        assert refused.value.kind == kind


def test_garbage_between_packets_is_told_from_another_protocol() -> None:
    """Who has spoken RTSP is not said to speak something else, but to be out of step."""
    for before, says in ((b"", "does not speak RTSP"), (chunk(0, b"x"), "between its packets"), (ANSWER, "between")):
        with pytest.raises(SourceError, match=says):
            feed(Inbox(), before + b"\x80\x60garbage")


def test_the_largest_that_is_allowed_is_taken() -> None:
    """A body of MAX_BODY and the largest packet pass, again and again, in one buffer that does not grow."""
    inbox = Inbox()
    body, fields = bytes(MAX_BODY), Fields((("content-length", str(MAX_BODY)),))
    answer = f"RTSP/1.0 200 OK\r\nContent-Length: {MAX_BODY}\r\n\r\n".encode() + body
    for _ in range(9):
        got = feed(inbox, chunk(3, bytes(0xFFFF)) + answer + chunk(0, b"a" * 999), 9973)
        assert got == [(3, bytes(0xFFFF)), Response(200, "OK", fields, body), (0, b"a" * 999)]
    assert len(inbox._buffer) == CAPACITY


def test_what_is_written_is_read_back() -> None:
    """A request of ours is what another reads of it."""
    data = write("DESCRIBE rtsp://camera/ü RTSP/1.0", [("CSeq", "2"), ("Accept", "application/sdp")])
    assert data == "DESCRIBE rtsp://camera/ü RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n".encode()


pieces = st.one_of(
    st.binary(max_size=64),
    st.sampled_from([ANSWER, b"RTSP/1.0 ", b"200 OK\r\n", b"\r\n\r\n", b"\n", b"$", b"$\0\0\1"]),
    st.sampled_from([b"Content-Length: ", b"99", b"PLAY * RTSP/1.0\r\n", b" x\r\n"]),
    st.builds(chunk, st.integers(0, 255), st.binary(max_size=64)),
)


@given(st.lists(pieces, max_size=12).map(b"".join), st.integers(1, 64))
def test_whatever_comes_is_read_or_refused(data: bytes, step: int) -> None:
    """Of any bytes come the same packets and messages, or one declared error, however they are cut or taken."""

    def outcome(step: int, run: int | None = None) -> object:
        try:
            return feed(Inbox(), data, step, run)
        except SourceError as refused:
            return refused.kind

    whole = outcome(1 << 20)
    for cut in (outcome(step), outcome(step, run=0)):
        assert isinstance(cut, list) == isinstance(whole, list)
        if isinstance(whole, list):
            assert cut == whole
