"""Who is told, as the configuration has it: a sender for each webhook and for the broker.

Nothing of it is imported where the configuration names none.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from streamer.config import Config
from streamer.config.outlets import MQTT
from streamer.values.alert import Telling
from streamer.values.clock import Clock

if TYPE_CHECKING:
    from streamer.outlets.outbox import Outbox


class Outgoing:
    """One service's."""

    def __init__(self, config: Config, outbox: "Outbox | None", *, clock: Clock, wall: Clock) -> None:
        """Tell nobody yet.

        Args:
            config: in force.
            outbox: what is to be told; None: nothing is kept, and nobody told.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
        """
        self._outbox, self._clock, self._wall = outbox, clock, wall

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for as long as the service lives, by name."""
        return {}


def telling(config: Config) -> Telling:
    """What the configuration says is told to whom."""
    rules = tuple(settings.value(name) for name, settings in config.alerts.items())
    all_events = (MQTT,) if config.mqtt is not None and config.mqtt.events else ()
    return Telling(rules, all_events)
