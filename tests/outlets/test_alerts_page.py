"""docs/alerts.md: what it says to paste works, and what it says is sent is what is sent."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from streamer import config
from streamer.outlets.document import document
from streamer.outlets.webhook.signature import key_of, signed
from streamer.values.notification import Notification
from streamer.values.uuid7 import uuid7
from tests.peers.required import REPOSITORY

PAGE = (REPOSITORY / "docs" / "alerts.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The one of the specification's own example."""


def blocks(language: str) -> list[str]:
    """What the page has to paste in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the variables that its configurations name."""
    for name in ("NTFY_TOPIC", "SLACK_HOOK", "TELEGRAM_TOKEN", "HA_WEBHOOK"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)


@pytest.mark.usefixtures("surroundings")
def test_what_one_pastes_is_a_configuration() -> None:
    """The page begins with a whole one, and its recipes are sections that can be used."""
    first, recipes = (yaml.safe_load(block) for block in blocks("yaml"))
    whole = config.parse(first)
    assert {name for rule in whole.alerts.values() for name in rule.outlets} == whole.webhooks.keys()
    found = config.parse({"archive": {}, "server": {"public_url": "https://cameras.example.org"}, **recipes}).webhooks
    table = PAGE[PAGE.index("| recipe |") : PAGE.index("An address is as secret")]
    assert {webhook.recipe for webhook in found.values()} == set(re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE))


def is_ours() -> Callable[[dict[str, str], bytes, str], bool]:
    """What the page has for who would verify a signature, as Python runs it."""
    [code] = blocks("python")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  the page's own
    verify: Callable[[dict[str, str], bytes, str], bool] = names["is_ours"]
    return verify


def test_its_ten_lines_verify_what_is_signed() -> None:
    """What we sign is ours; another body, another time, another secret and an old letter are not."""
    body, now = b'{"schema": 1}', time.time()
    headers = dict(signed(uuid7(now), int(now), body, key_of(SECRET)))
    old = dict(signed(uuid7(now), int(now) - 3600, body, key_of(SECRET)))
    verify = is_ours()
    assert verify(headers, body, SECRET)
    assert verify({**headers, "webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}, body, SECRET)
    assert not verify(headers, body + b" ", SECRET)
    assert not verify({**headers, "webhook-timestamp": str(int(now) - 1)}, body, SECRET)
    assert not verify(headers, body, "whsec_AAAA")
    assert not verify(old, body, SECRET)


def test_the_document_it_shows_is_one() -> None:
    """It has the keys that are sent, each of them explained below it, and its sentences are those of its event."""
    [block] = blocks("json")
    shown = json.loads(block)
    notification = Notification(
        shown["id"], 1, shown["outlet"], shown["kind"], shown["stream"], shown["rule"], shown["event"], shown["made_at"]
    )
    sent = document(notification, base="https://cameras.example.org")
    assert list(sent) == list(shown)
    assert {key: sent[key] for key in sent if key not in ("message", "event")} == {
        key: shown[key] for key in shown if key not in ("message", "event")
    }
    table = PAGE[PAGE.index("| key | what it is |") : PAGE.index("**Whether it is ours**")]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)))) == sent.keys()
