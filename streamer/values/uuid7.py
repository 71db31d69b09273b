"""Identifiers that sort by the time they carry (RFC 9562 section 5.7). Pure."""

import secrets
from uuid import UUID

PATTERN = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""What one looks like, as a regular expression."""


def uuid7(at: float) -> str:
    """A new one.

    Args:
        at: seconds since 1970, UTC; to the millisecond.
    """
    milliseconds = int(at * 1000) & 0xFFFFFFFFFFFF
    number = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=number))


def first_of(at: float) -> str:
    """The least text that any identifier of that millisecond can be: what a span of time begins with."""
    return str(UUID(int=(max(0, int(at * 1000)) & 0xFFFFFFFFFFFF) << 80))


def time_of(id_: str) -> float:
    """The time it carries: seconds since 1970, UTC, to the millisecond.

    Raises:
        ValueError: it is none.
    """
    number = UUID(id_)
    if number.version != 7:
        raise ValueError(f"{id_} is no UUIDv7")
    return (number.int >> 80) / 1000
