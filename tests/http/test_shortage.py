"""streamer.http.shortage: want of descriptors is said now and then."""

import errno

import pytest

from streamer.http.shortage import PAUSE, Shortage, is_shortage
from tests.peers.clock import FakeClock


def test_it_is_said_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    """However many go without, a second has one line of it, which counts those since the last."""
    clock, error = FakeClock(), OSError(errno.EMFILE, "Too many open files")
    shortage = Shortage(clock)
    for _ in range(100):
        shortage.met(error)
    assert len(caplog.records) == 1
    clock.advance(PAUSE)
    shortage.met(error)
    assert [record.getMessage() for record in caplog.records][1].endswith("since this was last said: 99")
    assert not any(record.exc_info for record in caplog.records)


def test_it_is_told_from_other_errors() -> None:
    """Only what says that descriptors, or memory for them, are used up is a shortage."""
    assert is_shortage(OSError(errno.ENFILE, "x"))
    assert not any(map(is_shortage, (ConnectionResetError(errno.ECONNRESET, "x"), OSError("x"), ValueError())))
