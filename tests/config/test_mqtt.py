"""The section `mqtt`."""

from itertools import takewhile
from typing import Any

import pytest
import yaml

from streamer import config
from streamer.config.mqtt import MqttSettings, MqttTlsSettings
from streamer.values.errors import ConfigError
from tests.peers.required import REPOSITORY


def settings(**said: Any) -> MqttSettings:
    """One of a document with these."""
    found = config.parse({"archive": {}, "mqtt": said}).mqtt
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("mqtt://broker", ("broker", 1883, None, None, False)),
        ("mqtts://broker/", ("broker", 8883, None, None, True)),
        ("mqtt://anna:a%2Fb%40c@10.0.0.5:1999", ("10.0.0.5", 1999, "anna", "a/b@c", False)),
        ("mqtts://anna@[2001:db8::1]:8883", ("2001:db8::1", 8883, "anna", None, True)),
    ],
)
def test_a_url_says_where_the_broker_is_and_who_we_are(
    url: str, meant: tuple[str, int, str | None, str | None, bool]
) -> None:
    """User and password are percent-encoded there."""
    found = settings(url=url)
    assert (found.host, found.port, found.user, found.password, found.is_secure) == meant


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ({}, ["mqtt.url", "missing"]),
        ({"url": "http://broker"}, ["mqtt.url", "mqtt://user:password@"]),
        ({"url": "mqtt://broker/topic"}, ["mqtt.url", "allowed"]),
        ({"url": "mqtt://anna:se@cret@broker"}, ["mqtt.url", "percent-encoded"]),
        ({"url": "mqtt://broker:99999"}, ["mqtt.url", "port"]),
        ({"url": "mqtt://:secret@broker"}, ["mqtt.url", "no user"]),
        ({"url": "mqtt://broker", "tls": {"ca": "ca.pem"}}, ["mqtt", "mqtts://"]),
        ({"url": "mqtts://broker", "tls": {"key": "us.key"}}, ["mqtt.tls", "key needs cert"]),
        ({"url": "mqtt://broker", "prefix": "home/#"}, ["mqtt.prefix"]),
        ({"url": "mqtt://broker", "prefix": ""}, ["mqtt.prefix"]),
        ({"url": "mqtt://broker", "pictures": 0.5}, ["mqtt.pictures", "1"]),
        ({"url": "mqtt://broker", "topic": "a"}, ["mqtt.topic: unknown key", "prefix"]),
    ],
)
def test_a_mistake_is_said_where_it_is_and_without_the_password(said: dict[str, Any], parts: list[str]) -> None:
    """The sentence names the key and what is allowed there."""
    with pytest.raises(ConfigError) as caught:
        settings(**said)
    for part in parts:
        assert part in str(caught.value)
    assert "cret" not in str(caught.value)


def test_a_broker_without_an_archive_is_refused() -> None:
    """What is told is kept first: else an hour without the broker would be lost."""
    with pytest.raises(ConfigError, match="mqtt: needs the section archive"):
        config.parse({"mqtt": {"url": "mqtt://broker"}})


def test_the_password_stands_in_no_representation() -> None:
    """Nor does the URL that holds it."""
    assert "secret" not in repr(settings(url="mqtt://anna:secret@broker"))


def test_the_commented_section_is_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/sightline.yaml has every key of it; without its comment signs it is one that can be used."""
    lines = (REPOSITORY / "docs" / "sightline.yaml").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("# mqtt:"))
    block = takewhile(lambda line: line.startswith("# "), lines[begin:])
    document = yaml.safe_load("\n".join(line.removeprefix("# ") for line in block))["mqtt"]
    assert document.keys() == MqttSettings.model_fields.keys()
    assert document["tls"].keys() == MqttTlsSettings.model_fields.keys()
    del document["tls"]
    monkeypatch.setenv("MQTT_PASSWORD", "secret")
    assert settings(**document).pictures == 10
