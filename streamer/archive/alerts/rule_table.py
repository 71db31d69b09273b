"""The table of rules that were made by the API. All of it within somebody's transaction."""

import json
import logging
from dataclasses import dataclass

from streamer.archive.alerts.outbox_row import ms
from streamer.archive.database import Cursor, Row
from streamer.values.alert import AlertRule, rule_of
from streamer.values.errors import ConfigError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MadeRule:
    """One."""

    rule: AlertRule
    by: str
    """Who made it, or changed it last."""
    at: float
    """When: UTC, seconds since 1970."""


def rows(cursor: Cursor) -> list[Row]:
    """All as they stand, by name: others than before, and they have changed."""
    return cursor.all("SELECT name, document, made_by, made_ms FROM alert_rule ORDER BY name")


def all_(cursor: Cursor) -> list[MadeRule]:
    """All, by name. What cannot be read is left out, and said: no rule must keep events from being kept."""
    made = []
    for name, document, by, made_ms in rows(cursor):
        try:
            made.append(MadeRule(rule_of(name, json.loads(document)), by, made_ms / 1000))
        except (ConfigError, ValueError, TypeError, AttributeError) as error:
            log.error("the rule %s in the archive cannot be read, and is not in force: %s", name, error)
    return sorted(made, key=lambda each: each.rule.name)


def put(cursor: Cursor, made: MadeRule) -> bool:
    """Keep it in the place of one of that name; whether there was none."""
    is_new = not cursor.all("SELECT 1 FROM alert_rule WHERE name = ?", (made.rule.name,))
    sql = (
        "INSERT INTO alert_rule (name, document, made_by, made_ms) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " document = excluded.document, made_by = excluded.made_by, made_ms = excluded.made_ms"
    )
    cursor.run(sql, (made.rule.name, json.dumps(made.rule.document()), made.by, ms(made.at)))
    return is_new


def remove(cursor: Cursor, name: str) -> bool:
    """Without it; whether it was there."""
    return bool(cursor.run("DELETE FROM alert_rule WHERE name = ?", (name,)))
