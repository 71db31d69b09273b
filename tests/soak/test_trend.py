"""tests.soak.trend."""

from hypothesis import given
from hypothesis import strategies as st

from tests.soak.trend import COUNT_ROOM, MEMORY_SLOPE, Footprint, judge

QUIET = Footprint(0.0, 120.0, 20, 10, 15)


def run(rise: float, noise: list[float]) -> list[Footprint]:
    """Ten minutes, a look every ten seconds, memory rising by so many megabytes a minute."""
    return [Footprint(10.0 * look, 200.0 + rise * look / 6 + each, 60, 20, 50) for look, each in enumerate(noise)]


@given(st.lists(st.floats(-1.0, 1.0), min_size=60, max_size=60))
def test_what_goes_up_and_down_does_not_grow(noise: list[float]) -> None:
    """Memory that swings by a megabyte has no slope, whatever it does in the minutes before it settled."""
    early = [Footprint(each.at - 180.0, 3.0 * index, 60, 20, 50) for index, each in enumerate(run(0.0, noise)[:18])]
    assert judge(QUIET, [*early, *run(0.0, noise)], QUIET, settled=180.0).complaints == []


@given(st.floats(2 * MEMORY_SLOPE, 100.0), st.lists(st.floats(-0.2, 0.2), min_size=60, max_size=60))
def test_what_grows_is_told_with_its_rate(rise: float, noise: list[float]) -> None:
    """Memory that grows is complained about, and by how much a minute."""
    verdict = judge(QUIET, run(rise, noise), QUIET, settled=180.0)
    assert abs(verdict.memory_slope - rise) < MEMORY_SLOPE
    assert len(verdict.complaints) == 1


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_what_is_not_given_back_is_told(descriptors: int, threads: int, tasks: int) -> None:
    """Descriptors, threads and tasks beyond those before, and a few, are complained about, each by its name."""
    after = Footprint(900.0, 120.0, 20 + descriptors, 10 + threads, 15 + tasks)
    complaints = judge(QUIET, run(0.0, [0.0] * 60), after, settled=180.0).complaints
    more = {"descriptors": descriptors, "threads": threads, "tasks": tasks}
    assert [noun for noun in more if more[noun] > COUNT_ROOM] == [complaint.split()[1] for complaint in complaints]


@given(st.lists(st.floats(0.0, 30.0), min_size=120, max_size=120), st.floats(1.0, 20.0))
def test_pictures_on_their_way_do_not_count(peaks: list[float], rise: float) -> None:
    """What is held at the quietest moments decides: peaks above that neither make a slope nor hide one."""
    during = [
        Footprint(5.0 * look, 200.0 + rise * look / 12 + (peak if look % 4 else 0.0), 60, 20, 50)
        for look, peak in enumerate(peaks)
    ]
    assert abs(judge(QUIET, during, QUIET, settled=0.0).memory_slope - rise) < 0.1 * rise + 0.2
