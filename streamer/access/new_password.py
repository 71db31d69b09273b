"""A password for `sightline user`: asked for on the terminal, read from a pipe, or made up and printed once."""

import getpass
import secrets
import sys

from streamer.access.password import LONGEST
from streamer.values.errors import ConfigError

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of a password that is made up: none looks like another."""


def given(*, generate: bool, from_stdin: bool) -> tuple[str, bool]:
    """The password, and whether it was made up here and has to be shown.

    Raises:
        ConfigError: the two that were typed differ, or none came.
    """
    if from_stdin:
        return _line(), False
    if generate or not sys.stdin.isatty():
        return made_up(), True
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Again: ")
    except EOFError:
        raise ConfigError("no password was given") from None
    if password != again:
        raise ConfigError("the two passwords differ; nothing was changed")
    return password, False


def made_up() -> str:
    """Five times four letters: 99 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(5))


def _line() -> str:
    """The first line of a pipe, without its end."""
    try:
        return sys.stdin.readline(4 * LONGEST).rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError("--password-stdin: not UTF-8 text") from None
