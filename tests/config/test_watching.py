"""The keys of a stream that say what becomes an event, and where; and the section `archive`."""

import re
from itertools import takewhile
from typing import Any

import pytest
import yaml

from streamer import config
from streamer.config.archive import ArchiveSettings
from streamer.config.storage import StorageSettings
from streamer.config.watching import WatchingSettings
from streamer.config.webhook import WebhookSettings
from streamer.values.errors import ConfigError
from streamer.values.hours import Hours
from streamer.values.place import Asks, Line, Places, Zone
from streamer.values.watching import EventRule, Watching
from tests.peers.required import REPOSITORY

TRIANGLE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]


def stream(**settings: Any) -> config.StreamSettings:
    """One of a document with these settings."""
    return config.parse({"streams": {"porch": {"url": "rtsp://camera/", **settings}}}).streams["porch"]


def test_what_is_written_is_handed_on_whole() -> None:
    """Rules, zones, lines and masks become one value."""
    found = stream(
        events={"min_score": 0.7, "labels": {"car": {"end_after": 5.0}}},
        zones={"yard": {"points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], "dwell": 10.0, "hours": ["22:00-06:00"]}},
        lines={"gate": {"points": [[0.5, 1.0], [0.5, 0.0]], "labels": ["car"], "anchor": "center"}},
        masks=[[[0.0, 0.0], [0.1, 0.0], [0.1, 0.1]]],
    ).watching
    zone = Zone("yard", ((0, 0), (1, 0), (1, 1)), 10.0, "bottom", Asks(hours=(Hours.parse("22:00-06:00"),)))
    line = Line("gate", ((0.5, 1), (0.5, 0)), "center", Asks(frozenset({"car"})))
    places = Places((zone,), (line,), (((0, 0), (0.1, 0), (0.1, 0.1)),))
    assert found == Watching(EventRule(0.7), {"car": EventRule(None, 5.0)}, places)
    assert stream().watching == Watching()


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"zones": {"yard": {"points": [[0.0, 0.0], [1.0, 0.0]]}}}, ["streams.porch.zones.yard.points", "3"]),
        ({"zones": {"yard": {"points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.5]]}}}, ["points.2.1", "1.5"]),
        ({"zones": {"a yard": {"points": []}}}, ["streams.porch.zones"]),
        ({"lines": {"gate": {"points": [[0.0, 0.0]]}}}, ["lines.gate.points", "2"]),
        ({"zones": {"yard": {"points": TRIANGLE, "hours": ["25:00-26:00"]}}}, ["hours.0", "22:00-06:00"]),
        ({"zones": {"yard": {"points": TRIANGLE, "colour": "red"}}}, ["zones.yard.colour: unknown key", "dwell"]),
        ({"lines": {"gate": {"points": TRIANGLE[:2], "dwell": 1.0}}}, ["lines.gate.dwell: unknown key", "points"]),
        ({"events": {"labels": {"car": {"score": 1.0}}}}, ["events.labels.car.score: unknown key", "end_after"]),
        ({"events": {"end_after": 0.0}}, ["events.end_after", "0.2"]),
    ],
)
def test_a_mistake_is_said_where_it_is(settings: dict[str, Any], parts: list[str]) -> None:
    """The sentence names the key and what is allowed there."""
    with pytest.raises(ConfigError) as caught:
        stream(**settings)
    for part in parts:
        assert part in str(caught.value)


def test_places_may_come_by_the_api() -> None:
    """A stream that is added brings its zones with it."""
    zone = {"points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]}
    assert config.parse_stream("porch", {"url": "rtsp://camera/", "zones": {"yard": zone}}).watching.places.zones


def uncommented(first: str, indent: str) -> Any:
    """Give what stands behind comment signs in docs/sightline.yaml from a line on, to the last that has one."""
    lines = (REPOSITORY / "docs" / "sightline.yaml").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"{indent}# {first}:"))
    block = takewhile(lambda line: line.startswith(f"{indent}# "), lines[begin:])
    text = "\n".join(line.removeprefix(f"{indent}# ") for line in block)
    return yaml.safe_load(re.sub(r"\$\{[A-Z0-9_]+\}", "secret-secret-secret", text))


def test_the_commented_section_is_all_of_it() -> None:
    """docs/sightline.yaml has every key of the archive; without its comment signs it is one that can be used."""
    archive = config.parse({"archive": uncommented("archive", "")["archive"]}).archive
    assert archive is not None
    assert archive.model_fields_set == ArchiveSettings.model_fields.keys()
    assert archive.storage is not None
    assert archive.storage.model_fields_set == StorageSettings.model_fields.keys()
    assert "secret" not in repr(archive.storage)


def test_the_commented_webhooks_have_all_of_it() -> None:
    """docs/sightline.yaml has every key of a webhook, and they can be used as they stand there."""
    webhooks = config.parse({"archive": {}, **uncommented("webhooks", "")}).webhooks
    said = set[str]().union(*(webhook.model_fields_set for webhook in webhooks.values()))
    assert said == WebhookSettings.model_fields.keys()
    assert "secret-" not in repr(webhooks)


def test_the_commented_keys_of_a_stream_are_all_of_them() -> None:
    """docs/sightline.yaml has every key of events, zones, lines and masks, and they can be used as they stand there."""
    found = stream(**uncommented("events", "    "))
    assert found.model_fields_set >= WatchingSettings.model_fields.keys()
    for settings in (found.events, *found.zones.values()):
        assert settings.model_fields_set == type(settings).model_fields.keys()


@pytest.mark.parametrize(("text", "expected"), [("50 GB", 50_000_000_000), ("1.5TB", 1_500_000_000_000), (None, None)])
def test_a_size_is_read_as_people_write_it(text: str | None, expected: int | None) -> None:
    """Decimal units, as disks are sold by."""
    assert ArchiveSettings(max_size=text).max_bytes == expected


def test_a_size_of_a_class_is_read_alike() -> None:
    """Each class has its own."""
    assert ArchiveSettings(max_size_of={"car": "2 GB", "dog": "5 MB"}).max_bytes_of == {
        "car": 2 * 10**9,
        "dog": 5 * 10**6,
    }


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"max_size": "lots"}, ["archive.max_size", "50 GB"]),
        ({"max_size_of": {"car": "2"}}, ["archive.max_size_of.car", "50 GB"]),
        ({"database": "mysql://h/x"}, ["archive.database", "postgresql://"]),
        ({"days": 0.0}, ["archive.days"]),
        ({"keep": 1}, ["archive.keep: unknown key", "days_of"]),
        ({"storage": {}}, ["archive.storage.url"]),
        ({"storage": {"url": "https://b.example.org"}}, ["archive.storage.url", "s3://bucket/prefix"]),
        ({"storage": {"url": "s3://b/../x"}}, ["archive.storage.url", "s3://bucket/prefix"]),
        ({"storage": {"url": "s3://bucket", "endpoint": "s3.example.org"}}, ["archive.storage.endpoint", "https://"]),
        (
            {"storage": {"url": "s3://bucket", "access_key": "a"}},
            ["archive.storage", "both, or none"],
        ),
    ],
)
def test_a_mistake_in_the_archive_is_said_where_it_is(settings: dict[str, Any], parts: list[str]) -> None:
    """The sentence names the key and what is allowed there."""
    with pytest.raises(ConfigError) as caught:
        config.parse({"archive": settings})
    for part in parts:
        assert part in str(caught.value)
