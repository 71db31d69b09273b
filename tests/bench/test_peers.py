"""streamer.bench.peers: what is made of what peers told."""

import sys
from pathlib import Path

import pytest

from streamer.bench.peers import _told
from streamer.values.errors import SightlineError


def test_peers_tell_in_their_last_line(tmp_path: Path) -> None:
    """Whatever libraries print before it; of ours they find serving/ and nothing else."""
    script = (
        "import importlib.util as u; print('hello'); print('{\"seen\": %d}' % (u.find_spec('serving') is not None))"
    )
    command = [sys.executable, "-c", script]
    assert _told(tmp_path, [command, command], 10.0) == [{"seen": 1}, {"seen": 1}]


def test_a_peer_that_says_nothing_is_named(tmp_path: Path) -> None:
    """One that lacks what it needs ends the measurement in one sentence."""
    with pytest.raises(SightlineError, match="gave no result"):
        _told(tmp_path, [[sys.executable, "-c", "import nothing_of_the_kind"]], 10.0)
