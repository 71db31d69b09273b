"""Rules that say what is told to whom, and the alerts they gave."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from streamer.control.alert_rules import alert_settings
from streamer.http.bodies.body import Body
from streamer.http.bodies.event import MOST, EventId, Moment, ShownEvent, Words
from streamer.http.operation import Later
from streamer.values.name import NAME

MOST_TRIED = 50
"""Alerts that a trial shows."""

RuleSettings = Annotated[Any, Later(alert_settings)]
"""A rule's keys, as the configuration has them."""
Outcome = Literal["told", "silenced", "cooled", "noted"]
"""told: its outlets were, or will be. silenced: nobody, somebody wanted silence. cooled: nobody, as the rule had just
spoken. noted: the rule names no outlet."""


class ShownRule(Body):
    """One rule."""

    name: str
    origin: Literal["file", "here"]
    """Where it comes from: the configuration file, which alone changes it, or the API and the page."""
    may_change: bool
    """Whether whoever asks may change and remove it: it is not the file's, and all its streams are his to operate."""
    hidden: bool
    """It was made here, and the file has come to have one of that name, which is in force. This one can be removed."""
    rule: RuleSettings
    """Of `streams`, those that whoever asks may see."""
    unknown_outlets: tuple[str, ...]
    """Those that it names and that are no more: nobody is told there."""
    silenced_until: float | None
    """Seconds since 1970: until then nobody is told, as the rule is silenced, or all are. Null: it speaks."""
    alerts: int
    """In the last 24 hours, of streams that whoever asks may see; whether anybody was told or not."""
    told: int
    """Those of them that somebody was told of."""
    last_told_at: float | None
    """Seconds since 1970; null: never, as far as is kept."""


class ShownRules(Body):
    """The answer of `GET /api/alerts`."""

    rules: tuple[ShownRule, ...]
    """By name."""
    outlets: tuple[str, ...]
    """Names of whom a rule may tell; empty for who may change none."""
    failing: str | None
    """Why nothing can be kept for now, as a clause: alerts wait, too. Null: it can be."""


class TriedAlert(Body):
    """What would have been an alert."""

    at: float
    """When the rule would have been met: seconds since 1970, UTC."""
    event: ShownEvent


class TriedRule(Body):
    """The answer of `POST /api/alerts/try`: what a rule would have given in the last day."""

    since: float
    """When that day began: seconds since 1970, UTC."""
    count: int
    """Times it would have told somebody, or noted it where it has no outlet."""
    cooled: int
    """Times it would have kept quiet, having just spoken."""
    complete: bool
    """False: there were more events than are looked at in one go, and the oldest were not."""
    alerts: tuple[TriedAlert, ...]
    """The newest of `count`, newest first; MOST_TRIED at the most."""


class AlertSearch(Body):
    """What `GET /api/alerts/history` is asked for; all of it at once."""

    model_config = ConfigDict(strict=False, validate_by_alias=True)

    rule: Annotated[str | None, Field(pattern=f"^{NAME}$")] = None
    stream: Words | None = None
    """A name, or several with commas between."""
    outcome: Outcome | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    """Met then or later."""
    until: Annotated[Moment | None, Field(alias="to")] = None
    """Met before."""
    cursor: EventId | None = None
    """As the answer before had it."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50


class ShownAlert(Body):
    """A rule was met by an event; that is once for each of both."""

    id: str
    """A UUIDv7."""
    rule: str
    stream: str
    at: float
    """When the event met it: seconds since 1970, UTC."""
    outcome: Outcome
    told: tuple[str, ...]
    """Names of the outlets that were to be told; whether they were stands with the outlets."""
    event: ShownEvent
    """As it is known by now."""


class AlertPage(Body):
    """The answer of `GET /api/alerts/history`."""

    alerts: tuple[ShownAlert, ...]
    """The newest first."""
    cursor: str | None
    """Asks for those before; null: there are none."""
    failing: str | None
    """Why nothing can be kept for now, as a clause. Null: it can be."""
