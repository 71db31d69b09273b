"""streamer.values.name: what a stream or a model may be called."""

import json
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer import config
from streamer.control.publishing_rights import PublishingRights
from streamer.values.errors import ConfigError, Refused
from streamer.values.name import NAME, NAMES, is_name, is_pattern, is_within
from tests.peers.required import REPOSITORY

TEXTS = st.one_of(st.text(max_size=70), st.text("aZ9._-", max_size=70), st.from_regex(NAME, fullmatch=True))


@given(TEXTS)
def test_a_name_is_one_everywhere(text: str) -> None:
    """The configuration, the API, publishers and models take the same names, and refuse others in the same words."""
    for ask in (
        lambda: PublishingRights(("*",), 1).require_name(text),
        lambda: config.parse({"streams": {text: {"url": "rtsp://camera/"}}}),
        lambda: config.parse_stream(text, {"url": "rtsp://camera/"}),
        lambda: config.parse_alert(text, {}),
        lambda: config.parse({"serving": {"model": text}}),
    ):
        if is_name(text):
            ask()
            continue
        with pytest.raises((ConfigError, Refused), match=re.escape(NAMES)):
            ask()


@given(TEXTS, st.integers(0, 70), st.sampled_from("*?"))
def test_a_name_with_letters_left_open_is_a_pattern(text: str, at: int, wildcard: str) -> None:
    """A name is a pattern, with * or ? in the place of any of its letters too; what is none is none with them."""
    opened = text[:at] + wildcard + text[at + 1 :]
    assert is_pattern(text) == is_name(text)
    assert is_pattern(opened) or not is_name(text)
    assert is_pattern(opened) == is_name(opened.replace("*", "x").replace("?", "x"))


FEW = st.text("ab*?", max_size=6)


@given(FEW, FEW, st.text("ab", max_size=6))
def test_what_a_pattern_means_a_wider_one_means_too(pattern: str, wider: str, name: str) -> None:
    """Where one is said to be within another, no name is found that it means and the other does not."""
    if is_within(pattern, wider) and fnmatchcase(name, pattern):
        assert fnmatchcase(name, wider)


@pytest.mark.parametrize(
    ("pattern", "wider", "says"),
    [
        ("line-1", "line-1", True),
        ("line-1", "line-?", True),
        ("line-?", "line-*", True),
        ("line-*?", "line-?*", True),
        ("a*b*c", "a*c", True),
        ("**", "*", True),
        ("line-*", "line-?", False),
        ("line-*", "line-1", False),
        ("*", "?*", False),
        ("*", "line-*", False),
        ("line-1", "line-2", False),
    ],
)
def test_a_pattern_is_within_another_as_one_reads_them(pattern: str, wider: str, says: bool) -> None:
    """A wildcard is within one that may be as much; a name within each pattern that means it."""
    assert is_within(pattern, wider) is says


def test_the_page_asks_for_the_same_names() -> None:
    """What a browser takes for a name is what the service takes."""
    form = re.search(r'maxlength="64"\s+pattern="([^"]+)"', (REPOSITORY / "web" / "index.html").read_text())
    script = re.search(r'maxlength: "64", pattern: ("[^"]+")', (REPOSITORY / "web" / "adding.js").read_text())
    assert form is not None
    assert script is not None
    for pattern in (form[1], json.loads(script[1])):
        assert pattern.replace(r"\-", "-") == NAME.replace("{0,63}", "*")


def test_the_rule_stands_once() -> None:
    """No other file of the service has the regular expression."""
    files = [path.name for path in (REPOSITORY / "streamer").rglob("*.py") if "{0,63}" in path.read_text()]
    assert files == ["name.py"]
