"""streamer.config.alerts: rules that say what is told to whom, and what they need of the rest of the file."""

from itertools import takewhile
from typing import Any

import pytest
import yaml

from streamer import config
from streamer.config import AlertSettings
from streamer.values.errors import ConfigError
from tests.peers.required import REPOSITORY

WEBHOOKS = {"phone": {"url": "https://ntfy.example.org/yard"}}


def test_the_commented_section_is_all_of_it() -> None:
    """docs/sightline.yaml has every key of a rule; without its comment signs it is one that can be used."""
    lines = (REPOSITORY / "docs" / "sightline.yaml").read_text().splitlines()
    begin = lines.index(next(line for line in lines if line.startswith("# alerts:")))
    block = takewhile(lambda line: line.startswith("# "), lines[begin:])
    section = yaml.safe_load("\n".join(line.removeprefix("# ") for line in block))
    [rule] = config.parse({**section, "archive": {}, "webhooks": WEBHOOKS}).alerts.values()
    assert rule.model_fields_set == AlertSettings.model_fields.keys()


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({"alerts": {"night": {"outlets": ["phone"]}}}, ["alerts", "needs the section archive"]),
        ({"archive": {}, "alerts": {"night": {"outlets": ["phone"]}}}, ["alerts.night.outlets", "there is none"]),
        (
            {"archive": {}, "webhooks": WEBHOOKS, "alerts": {"night": {"outlets": ["mqtt"]}}},
            ["alerts.night.outlets: 'mqtt' is no outlet", "there are phone"],
        ),
        ({"archive": {}, "webhooks": {"mqtt": WEBHOOKS["phone"]}}, ["webhooks.mqtt", "the broker's name"]),
        ({"archive": {}, "alerts": {"night": {"dwell": -1}}}, ["alerts.night.dwell", "-1"]),
        ({"archive": {}, "alerts": {"a b": {}}}, ["'a b' is not a name"]),
        ({"archive": {}, "alerts": {str(number): {} for number in range(101)}}, ["alerts", "100"]),
    ],
)
def test_a_mistake_in_a_rule_is_said_where_it_is(document: dict[str, Any], parts: list[str]) -> None:
    """The sentence names the key and what is allowed there."""
    with pytest.raises(ConfigError) as caught:
        config.parse(document)
    for part in parts:
        assert part in str(caught.value)
