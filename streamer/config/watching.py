"""The keys of a stream that say what becomes an event, and where: `events`, `zones`, `lines`, `masks`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from streamer.config.section import Name, Section, checked
from streamer.values.hours import Hours
from streamer.values.place import Asks, Line, Places, Zone
from streamer.values.watching import EventRule, Watching

MOST_PLACES = 50

Share = Annotated[float, Field(ge=0, le=1)]
Point = Annotated[list[Share], Field(min_length=2, max_length=2)]
Polygon = Annotated[list[Point], Field(min_length=3, max_length=100)]


def checked_hours(value: str) -> str:
    """A span of hours.

    Raises:
        ConfigError: it is none.
    """
    Hours.parse(value)
    return value


class EventRuleSettings(Section):
    """When a thing becomes an event, and when that ends."""

    min_score: Share | None = None
    """Of two of the last three samples. None: 0.1 above the stream's `min_score`."""
    end_after: Annotated[float, Field(ge=0.2, le=3600)] = 2.0
    """Seconds of answered samples without it."""

    def value(self) -> EventRule:
        """As it is handed on."""
        return EventRule(self.min_score, self.end_after)


class EventSettings(EventRuleSettings):
    """The rule for all classes, and for some their own."""

    labels: dict[Annotated[str, Field(min_length=1, max_length=100)], EventRuleSettings] = Field(
        default_factory=dict, max_length=MOST_PLACES
    )


class PlaceSettings(Section):
    """What zones and lines have in common: which things count there."""

    anchor: Literal["bottom", "center"] = "bottom"
    """The point of a box that is in or out: where it stands, or its middle."""
    labels: list[str] = Field(default_factory=list, max_length=MOST_PLACES)
    """Empty: any class."""
    min_score: Share = 0.0
    min_size: Share = 0.0
    """Of the box, as a share of the picture."""
    max_size: Share = 1.0
    hours: list[Annotated[str, AfterValidator(checked(checked_hours))]] = Field(
        default_factory=list, max_length=MOST_PLACES
    )
    """Spans of the day, such as 22:00-06:00, by this machine's clock; empty: all day."""

    @property
    def asks(self) -> Asks:
        """As it is handed on."""
        spans = tuple(map(Hours.parse, self.hours))
        return Asks(frozenset(self.labels), self.min_score, self.min_size, self.max_size, spans)


class ZoneSettings(PlaceSettings):
    """A polygon, in 0..1 of the picture's width and height."""

    points: Polygon
    dwell: Annotated[float, Field(gt=0, le=86_400)] | None = None
    """Seconds in it after which that is told; None: never."""


class LineSettings(PlaceSettings):
    """A directed line: over it from left to right, looking from its first point to its second, is forward."""

    points: Annotated[list[Point], Field(min_length=2, max_length=2)]


class PlacesSettings(Section):
    """Where things are watched; all of one stream's."""

    zones: dict[Name, ZoneSettings] = Field(default_factory=dict, max_length=MOST_PLACES)
    lines: dict[Name, LineSettings] = Field(default_factory=dict, max_length=MOST_PLACES)
    masks: list[Polygon] = Field(default_factory=list, max_length=MOST_PLACES)
    """Polygons in which nothing counts."""


class WatchingSettings(PlacesSettings):
    """All of it; a part of a stream's settings."""

    events: EventSettings = EventSettings()

    @property
    def watching(self) -> Watching:
        """As it is handed on."""
        zones = tuple(
            Zone(name, tuple(map(_point, zone.points)), zone.dwell, zone.anchor, zone.asks)
            for name, zone in self.zones.items()
        )
        lines = tuple(
            Line(name, (_point(line.points[0]), _point(line.points[1])), line.anchor, line.asks)
            for name, line in self.lines.items()
        )
        masks = tuple(tuple(map(_point, mask)) for mask in self.masks)
        of_label = {label: rule.value() for label, rule in self.events.labels.items()}
        return Watching(self.events.value(), of_label, Places(zones, lines, masks))


def _point(pair: list[float]) -> tuple[float, float]:
    x, y = pair
    return x, y
