"""streamer.access.user_name: what a user may be called, and when two names are one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.user_name import LONGEST, key_of, token_name, user_name
from streamer.values.errors import ConfigError


@pytest.mark.parametrize("name", ["anna", "Анна", "安娜", "Zoë Müller", "o'neil", "anna@example.org", "a", "x" * 64])
def test_people_are_called_as_they_are(name: str) -> None:
    """Names of any script are taken, and of mail addresses too."""
    assert user_name(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 65,
        " anna",
        "anna ",
        "an  na",
        "an\nna",
        "an\x00na",
        "an\u202ena",
        "anna\u200b",
        "anna\ufe0f",
        "\u3164",
        "\u2800",
        "an\u00a0na",
        "an/na",
        ".",
        "..",
        "\ud800",
        "nobody",
        "Nobody",
        "Token grafana",
        "ｔｏｋｅｎ x",
        "link",
        "anna (proxy)",
    ],
)
def test_what_cannot_be_seen_or_means_another_is_no_name(text: str) -> None:
    """Refused are control characters, letters without a picture, stray blanks, a path's marks, the audit's words."""
    with pytest.raises(ConfigError):
        user_name(text)


@pytest.mark.parametrize("text", ["door/still", "command", "nobody", "."])
def test_a_token_may_be_called_what_no_user_may(text: str) -> None:
    """It stands in no path, and nobody takes it for a user."""
    assert token_name(text) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [("anna", "ANNA"), ("Straße", "STRASSE"), ("Ａnna", "anna"), ("é", "e\u0301"), ("Σοφός", "σοφόσ"), ("İ", "i̇")],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    """Case, width and composition make no other user."""
    assert key_of(one) == key_of(other)


def test_letters_that_look_alike_are_two() -> None:
    """A Cyrillic letter is another letter."""
    assert key_of("anna") != key_of("аnna")


@given(st.text(max_size=LONGEST + 6))
def test_whatever_comes_is_a_name_or_is_none(text: str) -> None:
    """A name stays what it is when it is read again, and its spellings in both cases have its key."""
    key = key_of(text)
    assert key_of(key) == key
    assert key_of(unicodedata.normalize("NFD", text)) == key
    try:
        name = user_name(text)
    except ConfigError:
        return
    assert user_name(name) == name
    assert name.isprintable()
    assert key_of(name) == key_of(key) == key_of(name.casefold())
