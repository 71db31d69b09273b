"""tests.selection: which files `make test-fast` takes."""

from pathlib import Path

import pytest

from tests.selection import REPOSITORY, STEADY, WAITING, is_slow, is_steady, reached

CONFTESTS = sorted((REPOSITORY / "tests").rglob("conftest.py"))


@pytest.mark.parametrize("conftest", CONFTESTS, ids=lambda path: path.parent.name)
def test_a_folder_slows_none_of_its_fast_tests(conftest: Path) -> None:
    """What is read for every test of a folder imports no TensorFlow, unless all need it: ten seconds."""
    is_heavy = bool({"tensorflow", "keras"} & reached(conftest))
    assert not is_heavy or all(is_slow(path) for path in conftest.parent.rglob("test_*.py"))


def test_what_is_named_is_there() -> None:
    """Folders and files that are run several at a time exist, and what is none of them has the machine for itself."""
    tests = REPOSITORY / "tests"
    assert [name for name in (*STEADY, *WAITING) if not (tests / name).exists()] == []
    assert is_steady(tests / "http/test_metrics.py")
    assert not is_steady(tests / "web/test_browser_live.py")
