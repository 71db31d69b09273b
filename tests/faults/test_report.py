"""tests.faults: what many runs came to is said in full, whatever became of some of them."""

from tests.faults.report import HEADING, MOST_COMPLAINTS, Line, table


def test_each_run_has_a_line_and_the_last_one_has_the_worst_of_all() -> None:
    """With its seed and faults; what was broken stands below it. A run that there was not counts as broken."""
    well = Line(1, ("0.5 s: kill r1 for 3.0 s",), unowned=4.25, twice=0.5, events=20, repeated=1, seconds=31.0)
    broken = Line(2, ("1.0 s: cut r2 for 9.0 s", "2.0 s: stop r1 for 9.0 s"), unowned=9.5, events=10, seconds=40.0)
    broken.complaints.append("s was run by nobody for 9.5 s from 10.0 on")
    heading, *rows, verdict = table([well, broken], 3, 8, 3)
    assert heading == HEADING
    assert rows == [
        "   1     4.2   0.50     20        1      31  well    0.5 s: kill r1 for 3.0 s",
        "   2     9.5   0.00     10        0      40  BROKEN  1.0 s: cut r2 for 9.0 s; 2.0 s: stop r1 for 9.0 s",
        "     BROKEN: s was run by nobody for 9.5 s from 10.0 on",
    ]
    assert verdict == (
        "2 of 3 runs, 2 broke a rule, broke off or were not made: 3 replicas, 8 streams, 3 faults; "
        "nobody ran a stream for 9.5 s at most, two for 0.50 s; of 30 events 1 letters came once more"
    )


def test_no_run_says_more_than_fits() -> None:
    """How many complaints are left out is said."""
    line = Line(1, (), complaints=[f"complaint {number}" for number in range(MOST_COMPLAINTS + 2)])
    said = list(line.said())
    assert len(said) == 1 + MOST_COMPLAINTS + 1
    assert said[-1] == "     and 2 more"
