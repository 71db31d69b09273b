"""${NAME} in a text, which stands for an environment variable; and the passwords that any text may hold."""

import os
import re
from collections.abc import Iterator
from typing import Any

from streamer.values import url
from streamer.values.errors import ConfigError
from streamer.values.explanation import dotted

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def substitute(value: Any, where: tuple[Any, ...] = ()) -> Any:
    """Replace ${NAME} in every text by the environment variable NAME.

    Args:
        value: anything that was read.
        where: the keys that lead to it, for the sentence.

    Raises:
        ConfigError: a variable is not set.
    """
    if isinstance(value, dict):
        return {key: substitute(item, (*where, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, (*where, index)) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match.group(1)
        if not _is_set(name):
            raise ConfigError(f"{dotted(where)}: the environment variable {name} is not set; set it or write the value")
        return os.environ[name]

    return _VARIABLE.sub(variable, value)


def _is_set(name: str) -> bool:
    """Whether there is such an environment variable; the system has none whose name it cannot write."""
    try:
        return name in os.environ
    except UnicodeEncodeError:
        return False


WHOLE = "webhooks"
"""The section in which a URL is a secret from its path on."""


class Known:
    """Keeps the passwords of a document known for as long as it lives."""


def collect_secrets(value: Any, *, trusted: bool = True) -> Known:
    """Know every password before the first sentence is written about anything: a URL may stand in the wrong place.

    They are known for as long as what is given back lives, and a while longer. Streams hold their own from then on, so
    that a configuration which is edited for years leaves no old ones behind.

    Args:
        value: anything that was read.
        trusted: it is the configuration file; a stranger has no environment variables.
    """
    known = Known()
    for text in _texts(value):
        for meant in _meant(text, trusted=trusted):
            url.hold(meant, known)
    for text in _texts(value.get(WHOLE) if isinstance(value, dict) else None):
        for meant in _meant(text, trusted=trusted):
            url.hold_whole(meant, known)
    return known


def _meant(text: str, *, trusted: bool) -> set[str]:
    """As it is written, and as it is meant."""

    def variable(match: re.Match[str]) -> str:
        return os.environ[match.group(1)] if _is_set(match.group(1)) else ""

    return {text, _VARIABLE.sub(variable, text)} if trusted else {text}


def _texts(value: Any) -> Iterator[str]:
    """Every text in a document, keys among them."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
