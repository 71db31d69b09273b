"""What a stream's device is made of at Home Assistant: its entities. Pure.

The fields are those of its MQTT sensors, binary sensors, cameras, images and switches, by their whole names.
"""

import re
from dataclasses import dataclass
from typing import Any

from streamer.outlets.mqtt.topics import Topics
from streamer.values.state import STREAM_STATES

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StreamParts:
    """What a stream's device is made of."""

    topics: Topics
    stream: str

    def _at(self, what: str) -> str:
        return self.topics.stream(self.stream, what)

    def state(self) -> Component:
        """Its state, and why it is not live."""
        topic = self._at("state")
        return {
            "platform": "sensor",
            "name": "State",
            "device_class": "enum",
            "options": list(STREAM_STATES),
            "entity_category": "diagnostic",
            "state_topic": topic,
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": topic,
        }

    def picture(self) -> Component:
        """The newest picture."""
        return {"platform": "camera", "name": "Picture", "topic": self._at("picture")}

    def event_picture(self) -> Component:
        """The picture of the newest event."""
        topic = self._at("event_picture")
        return {"platform": "image", "name": "Last event", "image_topic": topic, "content_type": "image/jpeg"}

    def things(self) -> Component:
        """How many confirmed things are in view."""
        return self._count("Things in view", "value_json.total") | {"json_attributes_topic": self._at("counts")}

    def occupancy(self) -> Component:
        """Whether any are."""
        return self._occupied("Occupancy", "value_json.total")

    def of_label(self, label: str) -> Component:
        """How many of one class are."""
        return self._count(label, f"value_json.labels.get({quoted(label)}, 0)")

    def in_zone(self, zone: str) -> Component:
        """How many are in a zone."""
        return self._count(f"Things in {zone}", f"value_json.zones.get({quoted(zone)}, {{}}).get('total', 0)")

    def zone_occupancy(self, zone: str) -> Component:
        """Whether any are."""
        return self._occupied(f"Occupancy of {zone}", f"value_json.zones.get({quoted(zone)}, {{}}).get('total', 0)")

    def running(self) -> Component:
        """Its switch: off is paused."""
        return {
            "platform": "switch",
            "name": "Running",
            "state_topic": self._at("state"),
            "value_template": "{{ 'pause' if value_json.state == 'paused' else 'resume' }}",
            "command_topic": self._at("command"),
            "payload_on": "resume",
            "payload_off": "pause",
        }

    def _count(self, name: str, expression: str) -> Component:
        return {
            "platform": "sensor",
            "name": name,
            "state_class": "measurement",
            "state_topic": self._at("counts"),
            "value_template": f"{{{{ {expression} }}}}",
            **self._while_live(),
        }

    def _occupied(self, name: str, expression: str) -> Component:
        return {
            "platform": "binary_sensor",
            "name": name,
            "device_class": "occupancy",
            "state_topic": self._at("counts"),
            "value_template": f"{{{{ 'ON' if {expression} else 'OFF' }}}}",
            **self._while_live(),
        }

    def _while_live(self) -> Component:
        """What is counted means something only while there are detections to count."""
        return {
            "availability_mode": "all",
            "availability": [
                {"topic": self.topics.status},
                {
                    "topic": self._at("state"),
                    "value_template": "{{ 'online' if value_json.state == 'live' else 'offline' }}",
                },
            ],
        }


def quoted(text: str) -> str:
    """A text as it stands in a template of Jinja, whatever is in it."""
    return f"'{''.join(each if re.match('[A-Za-z0-9 -]', each) else _code(each) for each in text)}'"


def _code(character: str) -> str:
    return f"\\U{ord(character):08x}"
