"""streamer.doctor.losses: datagrams that were lost, as FFmpeg's log tells."""

import av
import pytest

from streamer.doctor.losses import counted
from streamer.doctor.observation import Observation


def lose(count: int) -> None:
    """Say what libavformat's rtpdec.c says."""
    av.logging.log(av.logging.WARNING, "rtp", f"RTP: missed {count} packets\n")


def test_each_loss_counts() -> None:
    """Who loses as many again and again has lost them each time, though the log says the same."""
    seen = Observation(0.0)
    with counted(seen):
        for count in (2, 1, 1, 1, 3):
            lose(count)
        av.logging.log(av.logging.WARNING, "rtp", "jitter buffer full\n")
    assert seen.lost == 8


@pytest.mark.parametrize("first_leaves_first", [True, False])
def test_the_log_is_as_it_was_when_the_last_one_leaves(first_leaves_first: bool) -> None:
    """However two examinations overlap, both are told, and FFmpeg's log is off again afterwards."""
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    first, second = counted(Observation(0.0)), counted(Observation(0.0))
    first.__enter__()
    second.__enter__()
    leaving = (first, second) if first_leaves_first else (second, first)
    leaving[0].__exit__(None, None, None)
    assert av.logging.get_level() == av.logging.WARNING
    leaving[1].__exit__(None, None, None)
    assert (av.logging.get_level(), av.logging.get_skip_repeated()) == before
