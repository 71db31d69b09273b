"""Outlets: how telling goes, and letters that were given up."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from streamer.http.bodies.body import Body
from streamer.http.bodies.event import EventId, ShownEvent
from streamer.values.uuid7 import PATTERN

MOST_LETTERS = 200
"""Letters in one answer, or named in one question."""
_IDS = f"^{PATTERN}(,{PATTERN}){{0,{MOST_LETTERS - 1}}}$"


def _ids(text: str) -> str:
    if not re.fullmatch(_IDS, text):
        raise ValueError(f"{text[:40]!r} is no list of at most {MOST_LETTERS} letters' ids with commas between")
    return text


class ShownOutlet(Body):
    """One, and how it has been since the service began."""

    name: str
    kind: Literal["webhook", "mqtt"] | None
    """Null of one that is gone."""
    recipe: str | None
    """In whose words a webhook is told; null of others."""
    host: str | None
    """Where it is told. The rest of its address may be a secret, and is shown nowhere. Null of one that is gone."""
    state: Literal["idle", "ok", "failing", "off", "gone"]
    """idle: it was not told anything yet. off: it said that it wants no more. gone: the configuration has it no more,
    and there are letters to it that wait for a person."""
    sent: int
    retried: int
    """Attempts that failed and are made again."""
    waiting: int
    """Letters that it is still to be told."""
    oldest_at: float | None
    """When the oldest of these was written: seconds since 1970, UTC."""
    dead: int
    """Letters that were given up, and wait for a person."""
    lost: int
    """Letters that there was no room for, since the archive was made."""
    last_sent_at: float | None
    """Seconds since 1970, UTC; null: it was not told anything since the service began."""
    failing_since: float | None
    """Seconds since 1970, UTC; null: it does not fail."""
    why: str | None
    """A sentence."""
    replica: str | None
    """The replica of a cluster that tells it, by whose figures it is; null: there is none, or nobody does now."""


class ShownOutlets(Body):
    """The answer of `GET /api/outlets`."""

    outlets: tuple[ShownOutlet, ...]


class TriedOutlet(Body):
    """What came of a test."""

    outcome: Literal["sent", "failed"]
    detail: str | None
    """Why it failed: a sentence."""


class ShownLetter(Body):
    """One that was given up."""

    id: str
    """A UUIDv7, the same at each attempt: its receiver knows it by that."""
    kind: Literal["alert", "alert_ended", "event_began", "event_ended", "test"]
    rule: str | None
    stream: str
    """"" of a test."""
    made_at: float
    """Seconds since 1970, UTC."""
    died_at: float | None
    """When it was given up."""
    attempts: int
    error: str
    """What came of the last."""
    event: ShownEvent | None
    """As it was known then; null of a test, and to who may not see its stream."""


class LetterSearch(Body):
    """What `GET /api/outlets/{outlet}/dead` is asked for."""

    model_config = ConfigDict(strict=False)

    cursor: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    """As the answer before had it."""
    limit: Annotated[int, Field(ge=1, le=MOST_LETTERS)] = 50


class DeadLetters(Body):
    """Its answer."""

    letters: tuple[ShownLetter, ...]
    """Those that were given up last first."""
    cursor: int | None
    """Asks for those before; null: there are none."""


class ChosenLetters(Body):
    """What `POST /api/outlets/{outlet}/dead/resend` is asked for."""

    ids: Annotated[tuple[EventId, ...], Field(max_length=MOST_LETTERS)] | None = None
    """Null: all that were given up."""


class LettersNamed(Body):
    """What `DELETE /api/outlets/{outlet}/dead` is asked for."""

    model_config = ConfigDict(strict=False)

    ids: Annotated[str, AfterValidator(_ids), Field(json_schema_extra={"pattern": _IDS})] | None = None
    """Several with commas between; left out: all that were given up."""


class LettersDone(Body):
    """Of how many letters something became."""

    count: int
