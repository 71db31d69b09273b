"""streamer.bench.cluster: what the section `cluster` costs."""

from functools import partial
from pathlib import Path

import pytest

from streamer.bench import cluster
from streamer.bench.cluster import figures_of, measure_cluster
from streamer.bench.flight import film
from streamer.bench.report import ROWS
from streamer.cli import main
from tests.peers.required import requires


def test_what_it_adds_is_that_of_each_pair() -> None:
    """A moment in which the machine is slow meets both of a pair: what they differ by stays."""
    figures = figures_of([(0.10, 100.0), (0.30, 101.0), (0.11, 102.0)], [(0.12, 110.0), (0.32, 111.0), (0.13, 112.0)])
    assert figures["core_share_without"] == 0.11
    assert (figures["core_share_added"], figures["memory_added_mb"]) == (0.02, 10.0)
    assert figures["core_share_ratio"] == pytest.approx(0.13 / 0.11, abs=0.001)
    assert figures_of([(0.1, 100.0)], []) == {"core_share_without": 0.1, "memory_without_mb": 100.0}


def test_there_is_no_ratio_to_nothing() -> None:
    """A short window may show no processor time: its pair is left out, and where all are so no ratio is given."""
    figures = figures_of([(0.0, 100.0), (0.1, 100.0)], [(0.1, 110.0), (0.2, 110.0)])
    assert (figures["core_share_ratio"], figures["core_share_added"]) == (2.0, 0.1)
    assert "core_share_ratio" not in figures_of([(0.0, 100.0)], [(0.1, 110.0)])


def test_it_is_measured_with_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure is there, of real services and a real NATS, and nothing is left behind; but a ratio to a share of 0,
    which so short a window may show."""
    requires("nats-server")
    few = {"STREAMS": 2, "SETTLE": 0.0, "film": partial(film, seconds=2.0)}
    for name, smaller in few.items():
        monkeypatch.setattr(cluster, name, smaller)
    said: list[str] = []
    figures = measure_cluster(tmp_path, 0.5, said.append, rounds=1)
    assert figures.keys() | {"core_share_ratio"} == {key for part, key, *_ in ROWS if part == "cluster"}
    measured = [line.rpartition(" streams ")[2] for line in said if line.endswith(" the section")]
    assert measured == ["without the section", "with the section"]
    assert figures["memory_ratio"] > 0
    assert list(tmp_path.iterdir()) == []


def test_without_a_nats_server_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for by name it is a mistake, in one sentence."""
    monkeypatch.setattr(cluster, "nats_server", lambda: None)
    assert main(["bench", "cluster"]) == 2
    assert capsys.readouterr().err.startswith("sightline: bench cluster runs a NATS server, which is not installed")
