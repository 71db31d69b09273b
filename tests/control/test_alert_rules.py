"""streamer.control.alert_rules: rules that come through the API."""

from typing import Any

import pytest

from streamer.control.alert_rules import read_rule
from streamer.values.alert import AlertRule
from streamer.values.errors import Refused
from streamer.values.hours import Hours


def test_a_rule_is_what_the_configuration_would_make_of_it() -> None:
    """Its keys are those of the file's section, and what is left out is what it is there."""
    said = {"streams": ["yard-*"], "labels": ["person"], "hours": ["22:00-06:00"], "outlets": ["phone"]}
    assert read_rule("night", said, ["phone"]) == AlertRule(
        "night",
        ("yard-*",),
        labels=frozenset({"person"}),
        hours=(Hours.parse("22:00-06:00"),),
        outlets=("phone",),
    )
    assert read_rule("all", {}, []) == AlertRule("all")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"min_score": 2}, "min_score: 2 is not allowed; it must be less than or equal to 1"),
        ({"streams": []}, "streams: "),
        ({"streams": ["a/b"]}, "streams.0: 'a/b' is no stream"),
        ({"hours": ["22-6"]}, "hours.0: '22-6' is no span of hours"),
        ({"outlets": ["pager"]}, "outlets: 'pager' is no outlet; there are mqtt, phone"),
        ({"klass": "car"}, "klass: unknown key; allowed here are streams, labels"),
        ({"labels": [[[[[[[[["deep"]]]]]]]]]}, "no key of a rule is that deep"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_its_key(said: dict[str, Any], sentence: str) -> None:
    """422, the key first, as in the configuration without the rule's name before it."""
    with pytest.raises(Refused) as refused:
        read_rule("night", said, ["mqtt", "phone"])
    assert refused.value.status == 422
    assert str(refused.value).startswith(sentence)
