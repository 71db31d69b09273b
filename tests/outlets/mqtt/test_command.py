"""Commands, as they are understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.outlets.mqtt.command import LONGEST_SNOOZE, BadCommand, Command, read
from streamer.outlets.mqtt.topics import Topics

TOPICS = Topics("home/sightline")


@pytest.mark.parametrize(
    ("topic", "said", "meant"),
    [
        ("streams/a.b/command", "pause", Command("pause", "a.b")),
        ("streams/a.b/command", "Resume ", Command("resume", "a.b")),
        ("streams/a.b/command", "snooze 60", Command("snooze", "a.b", None, 60.0)),
        ("alerts/night/command", "snooze 1", Command("snooze", None, "night", 1.0)),
        ("alerts/night/command", "wake", Command("wake", None, "night")),
        ("command", f"snooze {LONGEST_SNOOZE}", Command("snooze", None, None, float(LONGEST_SNOOZE))),
    ],
)
def test_a_command_is_about_whom_its_topic_names(topic: str, said: str, meant: Command) -> None:
    """A stream, a rule, or everything."""
    assert read(TOPICS, f"home/sightline/{topic}", said.encode(), is_retained=False) == meant


@pytest.mark.parametrize(
    ("topic", "said", "why"),
    [
        ("alerts/night/command", "pause", "only streams are paused"),
        ("command", "resume", "only streams are paused"),
        ("streams/a/command", "snooze", "a snooze is 1 to"),
        ("streams/a/command", "snooze 0", "a snooze is 1 to"),
        ("streams/a/command", "snooze 1e9", "a snooze is 1 to"),
        ("streams/a/command", "snooze ٣", "it is no command|a snooze is 1 to"),
        ("streams/a/command", "", "it is no command"),
        ("streams/a/command", "p" * 1000, "it is no command"),
        ("streams/.a/command", "pause", "nothing has that name"),
        ("streams//command", "pause", "nothing has that name"),
        ("streams/a/b/command", "pause", "nothing has that name"),
    ],
)
def test_what_is_no_command_is_refused_in_a_sentence(topic: str, said: str, why: str) -> None:
    """It says what is allowed."""
    with pytest.raises(BadCommand, match=why):
        read(TOPICS, f"home/sightline/{topic}", said.encode(), is_retained=False)


def test_a_command_that_the_broker_had_kept_is_refused() -> None:
    """It would be obeyed again at each connection, for ever."""
    with pytest.raises(BadCommand, match="retained"):
        read(TOPICS, TOPICS.stream("a", "command"), b"pause", is_retained=True)


@given(st.binary(max_size=300), st.text(max_size=50))
def test_whatever_is_said_is_a_command_or_is_refused(said: bytes, name: str) -> None:
    """Anybody may publish anything."""
    try:
        command = read(TOPICS, TOPICS.stream(name, "command"), said, is_retained=False)
    except BadCommand:
        return
    assert command.stream == name
    assert command.word == "wake" or command.word in said.decode("ascii", "replace").lower()
