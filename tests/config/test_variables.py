"""streamer.config.variables: the passwords of a configuration, known while something may speak of them."""

import gc
from typing import Any

import pytest

from streamer import config
from streamer.values import passwords, url
from streamer.values.errors import ConfigError
from streamer.values.passwords import KEEP, Passwords
from tests.peers.clock import FakeClock

FEW = 3
"""Passwords that nothing uses which are kept at the most."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of what is known."""
    clock = FakeClock()
    monkeypatch.setattr(url, "_secrets", Passwords(clock))
    monkeypatch.setattr(passwords, "SPARE", FEW)
    return clock


def cameras(*words: str) -> dict[str, Any]:
    """A configuration of cameras with these passwords."""
    return {"streams": {f"camera-{word}": {"url": f"rtsp://user:{word}@camera/"} for word in words}}


def known(*words: str) -> list[str]:
    """Which of these are cut out of a text."""
    return [word for word in words if word not in url.redact(word)]


def test_passwords_are_known_while_a_configuration_is_in_force(clock: FakeClock) -> None:
    """Its streams' passwords are known for as long as their settings live, however many they are, and not for ever."""
    words = [f"hunter-{number}" for number in range(3 * FEW)]
    streams = config.parse(cameras(*words)).streams
    clock.advance(10 * KEEP)
    config.parse_stream("x", {"url": "rtsp://user:another@camera/"})
    assert known(*words) == words
    streams.clear()
    gc.collect()
    for _ in range(2):
        config.parse_stream("x", {"url": "rtsp://user:another@camera/"})
        clock.advance(KEEP + 1)
    config.parse_stream("x", {"url": "rtsp://user:another@camera/"})
    assert known(*words) == []


def test_edited_configurations_do_not_add_up(clock: FakeClock) -> None:
    """However often a configuration is edited, no more passwords of the old ones are kept than of strangers."""
    gc.freeze()  # a whole run has a million objects, each of which would be looked at thirty times
    try:
        for number in range(10 * FEW):
            config.parse(cameras(f"hunter-{number}"))
            gc.collect()
    finally:
        gc.unfreeze()
    assert len(url._secrets) <= FEW + 1


def test_a_mistake_among_many_cameras_is_told_without_a_password(clock: FakeClock) -> None:
    """While a configuration is read all of its passwords are known, were they more than are kept otherwise."""
    document = cameras(*(f"hunter-{number}" for number in range(3 * FEW)))
    document["streams"]["camera-hunter-0"]["sample_fps"] = document["streams"]["camera-hunter-0"]["url"]
    with pytest.raises(ConfigError) as refused:
        config.parse(document)
    assert "rtsp://user:***@camera/" in str(refused.value)
