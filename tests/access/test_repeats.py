"""streamer.access.repeats: whoever does the same over and over pushes nobody else's deeds out of the audit."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.audit import Audit
from streamer.access.deed import Deed
from streamer.access.repeats import MOST, ONE_BY_ONE, ONE_BY_ONE_OF_ALL, WINDOW, Repeats

NOW = 1_800_000_000.0


def failed(number: int = 0, address: str = "10.0.0.9") -> Deed:
    """A stranger's try, some moments later."""
    return Deed(NOW + number / 1000, "nobody", "sign in", address=address, ok=False, detail=f"try {number}")


def told_of(deeds: list[Deed]) -> list[Deed]:
    """What is written of these by the end."""
    repeats = Repeats()
    return [each for deed in deeds for each in repeats.told(deed)] + list(repeats.all_over())


def test_the_first_are_told_one_by_one_and_of_the_others_how_many() -> None:
    """A thousand tries take ten lines and one, which is the last of them and counts the rest."""
    tries = [failed(number) for number in range(1000)]
    *first, rest = told_of(tries)
    assert first == tries[:ONE_BY_ONE]
    assert (rest.at, rest.detail) == (tries[-1].at, f"{1000 - ONE_BY_ONE} more like it, this one the last; try 999")


def test_it_begins_anew_when_the_time_is_over() -> None:
    """What was counted is told with the next deed of anybody, and the next like it one by one again."""
    repeats = Repeats()
    for number in range(ONE_BY_ONE + 5):
        repeats.told(failed(number))
    later = Deed(NOW + WINDOW, "anna", "user add", "ben")
    counted, told = repeats.told(later)
    assert (counted.detail[:6], told) == ("5 more", later)
    again = failed(int(WINDOW * 1000) + 1)
    assert repeats.told(again) == [again]


@pytest.mark.parametrize("step", [-86400.0, 86400.0])
def test_a_clock_that_is_set_hides_nothing(step: float) -> None:
    """Whichever way: what was counted is told, and what is done then."""
    repeats = Repeats()
    for number in range(ONE_BY_ONE + 1):
        repeats.told(failed(number))
    then = failed(int(step) * 1000)
    assert len(repeats.told(then)) == 2


@given(st.sampled_from(["user add", "user change", "stream remove", "token add", "password change", "session end"]))
def test_what_changes_something_is_always_told(what: str) -> None:
    """However often, each is a line with its own words."""
    deeds = [Deed(NOW, "anna", what, "ben", detail=str(number)) for number in range(3 * ONE_BY_ONE)]
    assert told_of(deeds) == deeds


def test_others_are_told_beside() -> None:
    """Another address, another person and another deed are no repeats; a household's addresses are one."""
    repeats = Repeats()
    for number in range(ONE_BY_ONE):
        repeats.told(failed(number, "2001:db8::1"))
    assert repeats.told(failed(50, "2001:db8::2")) == []
    for other in failed(51, "2001:db8:0:1::1"), Deed(NOW, "anna", "sign in", address="2001:db8::1"):
        assert repeats.told(other) == [other]


def test_many_addresses_are_bounded_together() -> None:
    """Who has a network to try from takes a bounded number of lines, and one for all the others."""
    tries = [failed(number, f"2001:db8:{number:x}::1") for number in range(5 * MOST)]
    repeats = Repeats()
    told = [each for each in tries for each in repeats.told(each)]
    assert told == tries[:ONE_BY_ONE_OF_ALL]
    assert len(list(repeats.all_over())) == 1


def test_only_so_many_kinds_are_counted() -> None:
    """Where more people do it from more addresses, the oldest are told early, and each once."""
    repeats, count = Repeats(), 3 * MOST
    told = [
        each
        for number in range(count)
        for _ in range(ONE_BY_ONE + 1)
        for each in repeats.told(Deed(NOW, "anna", "link make", address=f"2001:db8:{number:x}::1"))
    ]
    assert len(told) == count * ONE_BY_ONE + count - MOST
    assert len(list(repeats.all_over())) == MOST


async def test_a_flood_leaves_what_others_did_in_the_audit(tmp_path: Path) -> None:
    """Ten thousand tries later the change before them is a dozen lines away; the end of the service tells the rest."""
    path = tmp_path / "a.audit.jsonl"
    audit = Audit(path, wall=lambda: NOW)
    change = Deed(NOW, "anna", "user remove", "ben")
    audit.note(change)
    for number in range(10_000):
        audit.note(failed(number))
    found, _ = await audit.search(limit=ONE_BY_ONE + 1)
    assert found[-1] == change
    await audit.close()
    found, _ = await Audit(path, wall=lambda: NOW).search(limit=1)
    assert found[0].detail.startswith(f"{10_000 - ONE_BY_ONE} more like it")
