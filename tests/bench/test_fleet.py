"""streamer.bench.fleet, turns and best: what is made of events, of blocks, and of a machine that was not alone."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.bench.best import Best
from streamer.bench.fleet import FPS, NUMBERS, PICTURES, ages_of, figures_of
from streamer.bench.numbered_camera import APART
from streamer.bench.readings import Reading
from streamer.bench.report import table
from streamer.bench.turns import in_turn
from streamer.cli import main
from streamer.values.errors import SightlineError


def event(camera: int, number: int, width: int = 640) -> dict[str, Any]:
    """What the service tells of a picture with a number."""
    left = round(number % PICTURES / (2 * NUMBERS) * width, 2)
    boxes = [{"label": "nothing", "box": [0.0, 0.0, 1.0, 1.0]}, {"label": "frame", "box": [left, 120.0, left, 360.0]}]
    return {"stream": str(camera), "width": width, "detections": boxes}


@given(
    camera=st.integers(0, 7),
    number=st.integers(0, 5 * PICTURES),
    age=st.floats(0, PICTURES / FPS - 0.001),
    epoch=st.floats(0, 1e5),
)
def test_an_event_is_as_old_as_its_picture(camera: int, number: int, age: float, epoch: float) -> None:
    """Whichever camera's and whichever round of the clip it is, up to a whole clip's length."""
    now = epoch + number / FPS + camera * APART + age
    [found] = ages_of([Reading(now, event(camera, number))], epoch)
    assert found is not None
    length = PICTURES / FPS
    assert min(abs(found - age), length - abs(found - age)) < 1e-6


def test_an_event_without_a_number_has_no_age() -> None:
    """It is left out, and not taken for picture 0."""
    assert ages_of([Reading(1.0, {"stream": "0", "width": 640, "detections": []})], 0.0) == [None]


def test_a_fleet_without_results_is_no_figure() -> None:
    """One sentence, and no division by what was not there."""
    with pytest.raises(SightlineError, match="no results came"):
        figures_of([], 0, 1.0, 0.1)


def test_two_checkouts_are_measured_in_turn() -> None:
    """In the order this, other, other, this; a figure that drifts evenly favours neither."""
    order: list[Path | None] = []

    def measure(checkout: Path | None) -> dict[str, Any]:
        order.append(checkout)
        return {"ms": (20.0 if checkout is None else 10.0) + len(order), "words": "as they are"}

    figures = in_turn(measure, Path("other"))
    assert order == [None, Path("other"), Path("other"), None]
    assert figures["ms"] == 22.5
    assert figures["other"]["ms"] == 12.5
    assert figures["ratio"] == {"ms": pytest.approx((21 / 12 + 24 / 13) / 2, abs=0.001)}
    assert figures["words"] == "as they are"


def test_one_checkout_is_measured_once() -> None:
    """Without another there is nothing to compare with, and no time is spent on it."""
    assert in_turn(lambda checkout: {"which": checkout}, None) == {"which": None}


@pytest.mark.parametrize(("figures", "void"), [([100.0, 119.0, 101.0], False), ([100.0, 121.0], True)])
def test_a_run_on_a_machine_that_was_not_alone_says_so(figures: list[float], void: bool) -> None:
    """Where the model's own best moved by more than a fifth, every row of the part is marked and the end says why."""
    best = Best(Path(), 1.0, lambda _: None)
    best.figures = figures
    said = best.said()
    assert ("void" in said) is void
    lines = table({"fleet": {"results_per_second": 90.0} | said}).splitlines()
    assert lines[0].endswith("!") is void
    assert ("not to be quoted: the model alone moved by 21%" in lines[-1]) is void


def test_another_checkouts_figures_stand_beside() -> None:
    """With what this one's are of them."""
    found = {"age_ms_p50": 60.0, "other": {"age_ms_p50": 120.0}, "ratio": {"age_ms_p50": 0.5}}
    [line] = table({"fleet": found}).splitlines()
    assert line.endswith("≤ 95       other 120.0, × 0.5")


@pytest.mark.parametrize(("parts", "words"), [(["fleet"], "there is no working copy"), (["start"], "none of them")])
def test_a_checkout_that_cannot_be_measured_is_named(
    parts: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is measured."""
    if parts == ["start"]:
        (tmp_path / "site" / "streamer").mkdir(parents=True)
    assert main(["bench", *parts, "--against", str(tmp_path), "--state", str(tmp_path / "state")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
