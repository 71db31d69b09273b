"""What Home Assistant is told, so that it makes a device of each stream, and one of all rules. Pure.

The form is its device discovery: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.outlets.mqtt.component import Component, StreamParts
from streamer.outlets.mqtt.retained import compact
from streamer.outlets.mqtt.topics import Topics
from streamer.outlets.news import StreamNews

RULES = "_rules"
"""The device of all rules. No stream has that name: one begins with a letter or a digit."""
MOST_LABELS = 12
"""Of a model; more of them get no sensors of their own, which nobody could find his way among."""
SNOOZE = 3600
"""Seconds of the button."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """Of one Sightline."""

    prefix: str
    """Home Assistant's."""
    topics: Topics
    software: str
    """Our version."""
    pictures: bool = False
    """Whether there are any."""
    commands: bool = False
    """Whether any are taken."""

    @property
    def held(self) -> str:
        """By which we learn what it has been told before."""
        return self._topic("+")

    def topic_of(self, stream: str) -> str:
        """Where a stream's device is told of."""
        return self._topic(escaped(stream))

    @property
    def rules_topic(self) -> str:
        """Where that of all rules is."""
        return self._topic(RULES)

    def is_ours(self, topic: str) -> bool:
        """Whether one of our devices is told of there."""
        head, _, tail = self._topic("+").partition("+")
        return topic.startswith(head) and topic.endswith(tail)

    def _topic(self, device: str) -> str:
        return f"{self.prefix}/device/{escaped(self.topics.prefix)}/{device}/config"

    def stream(self, news: StreamNews) -> bytes:
        """A stream's device."""
        parts = StreamParts(self.topics, news.name)
        components = {"state": parts.state(), "things": parts.things(), "occupancy": parts.occupancy()}
        if self.pictures:
            components |= {"picture": parts.picture(), "event_picture": parts.event_picture()}
        for label in news.labels if len(news.labels) <= MOST_LABELS else ():
            components[f"label_{escaped(label)}"] = parts.of_label(label)
        for zone in news.zones:
            components[f"zone_{escaped(zone)}"] = parts.in_zone(zone)
            components[f"zone_{escaped(zone)}_occupancy"] = parts.zone_occupancy(zone)
        if self.commands:
            components["running"] = parts.running()
        return self._device(news.name, news.name, components)

    def rules(self, names: Iterable[str]) -> bytes:
        """The device of all rules."""
        components: dict[str, Component] = {}
        for name in names:
            components[f"rule_{escaped(name)}"] = {
                "platform": "binary_sensor",
                "name": name,
                "state_topic": self.topics.rule(name, "state"),
                "json_attributes_topic": self.topics.alert(name),
            }
            if self.commands:
                components[f"snooze_{escaped(name)}"] = {
                    "platform": "button",
                    "name": f"Snooze {name} for an hour",
                    "command_topic": self.topics.rule(name, "command"),
                    "payload_press": f"snooze {SNOOZE}",
                }
        return self._device(RULES, f"{self.topics.prefix} alerts", components)

    def _device(self, key: str, name: str, components: Mapping[str, Component]) -> bytes:
        ours = f"{self.topics.prefix}/{key}"
        document = {
            "device": {
                "identifiers": [ours],
                "name": name,
                "manufacturer": "Sightline",
                "model": "Alerts" if key == RULES else "Stream",
                "sw_version": self.software,
            },
            "origin": {"name": "Sightline", "sw_version": self.software},
            "availability": [{"topic": self.topics.status}],
            "components": {id_: {**each, "unique_id": f"{ours}/{id_}"} for id_, each in components.items()},
        }
        return compact(document)


def escaped(text: str) -> str:
    """A text in letters, digits, _ and -, as ids of discovery are made of; no two texts become the same."""
    return re.sub(r"[^A-Za-z0-9-]", lambda found: "__" if found[0] == "_" else f"_{ord(found[0]):x}_", text)


def without_gone(document: bytes, before: bytes) -> bytes:
    """A device with what it had before and has no more named, by which Home Assistant takes that away.

    Args:
        document: of the device, ours.
        before: what the broker holds of it. Anybody may have put it there.
    """
    new = json.loads(document)
    for id_, platform in _components(before).items():
        new["components"].setdefault(id_, {"platform": platform})
    return compact(new)


def _components(document: bytes) -> Mapping[str, str]:
    """The platform of each component; of those that were taken away by it, none."""
    try:
        read = json.loads(document)
        said: Sequence[tuple[str, Any]] = list(read["components"].items())[:1000]
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}
    return {
        id_: each["platform"]
        for id_, each in said
        if isinstance(each, dict) and len(each) > 1 and isinstance(each.get("platform"), str)
    }
