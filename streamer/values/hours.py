"""Hours of the day in which a zone counts, by the service's own clock on the wall. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, tzinfo

from streamer.values.errors import ConfigError

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """One span; over midnight where its end is before its beginning."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """Such as "22:00-06:00".

        Raises:
            ConfigError: it is none.
        """
        found = _SPAN.fullmatch(text)
        if found is None:
            raise ConfigError(f"{text!r} is no span of hours; allowed is one such as 22:00-06:00")
        one, two, three, four = map(int, found.groups())
        return cls(time(one, two), time(three, four))

    def __str__(self) -> str:
        """As `parse` reads it."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def __contains__(self, moment: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


def within(hours: Sequence[Hours], at: float, zone: tzinfo | None) -> bool:
    """Whether a moment lies in one of them, or there are none.

    Args:
        hours: the spans.
        at: UTC, seconds since 1970.
        zone: whose wall the clock hangs on; None: this machine's.
    """
    if not hours:
        return True
    now = datetime.fromtimestamp(at, zone).time()
    return any(now in span for span in hours)
