"""streamer.access.principal: who may do what, to one stream and to all that a pattern may mean."""

import pytest

from streamer.access.action import Action
from streamer.access.principal import Grant, Principal

ANNA = Principal(
    "user",
    "anna",
    (Grant(frozenset({Action.VIEW}), ("*",)), Grant(frozenset({Action.OPERATE}), ("line-*", "gate"))),
)


@pytest.mark.parametrize(
    ("pattern", "may"), [("gate", True), ("line-1", True), ("line-*", True), ("gate*", False), ("*", False)]
)
def test_all_that_a_pattern_means_is_his_or_it_is_not(pattern: str, may: bool) -> None:
    """What may be done to some streams may be done to a pattern of them, and to none that may mean another's."""
    assert ANNA.may_all(Action.OPERATE, pattern) is may
    assert ANNA.may_all(Action.VIEW, pattern)
    assert not ANNA.may_all(Action.ADMINISTER, pattern)
