"""What is wrong with a configuration or a request, in one line: the key, its value, and what is allowed there."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from streamer.values import url
from streamer.values.name import NAMES

SectionOf = Callable[[tuple[Any, ...]], type[BaseModel]]
"""Gives the section that a key path leads into."""

SECRETS = ("token", "key", "nats", "credential", "secret", "client_secret", "password", "old", "new")
"""Keys whose values are shown nowhere."""
LONGEST = 100
"""Characters of a value or a key that are shown; of what is longer, the beginning."""

_ALLOWED = {
    "list_type": "a list",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "string_unicode": "a text in Unicode",
    "string_too_short": "a text that is not empty",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "missing": "a value: this key is required",
}


def explain(error: ValidationError, document: dict[Any, Any], section_of: SectionOf) -> str:
    """The first problem in one line: the key, the value, and what is allowed."""
    first = error.errors(include_url=False)[0]
    where = tuple(part for part in first["loc"] if part != "[key]")
    kind, context = first["type"], first.get("ctx", {})
    if kind == "extra_forbidden":
        return f"{dotted(where)}: unknown key; allowed here are {keys_of(section_of(where[:-1]))}"
    value: Any = document
    for part in where:
        if isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else value  # a word may stand for a mapping
    said = "its value" if where and where[-1] in SECRETS else shown(value)
    if kind == "invalid_key" or (kind == "string_type" and "[key]" in first["loc"]):
        return f"{dotted(where)}: the key {shown(where[-1])} is not a text; write it in quotes"
    if kind == "value_error":
        return f"{dotted(where)}: {context['error']}"
    if kind == "string_pattern_mismatch":
        name = said if "[key]" not in first["loc"] else shown(where[-1])
        return f"{dotted(where)}: {name} is not a name of {NAMES}"
    if kind == "missing":
        return f"{dotted(where)}: is missing; it is required"
    if kind == "string_too_short" and context.get("min_length", 1) > 1:
        return f"{dotted(where)}: is too short; it must be a text of at least {context['min_length']} characters"
    if kind == "string_too_long":
        return f"{dotted(where)}: is too long; it must be a text of at most {context['max_length']} characters"
    if kind == "too_long":
        return f"{dotted(where)}: is too long; it must be a list of at most {context['max_length']}"
    allowed = _ALLOWED.get(kind) or first["msg"].removeprefix("Input should be ")
    return f"{dotted(where)}: {said} is not allowed; it must be {allowed}"


def keys_of(section: type[BaseModel]) -> str:
    """The keys that are known there: its own first, then those it has in common with others."""
    own = section.__annotations__
    known = sorted(section.model_fields, key=lambda key: key not in own)
    return ", ".join(section.model_fields[key].alias or key for key in known)


def dotted(where: tuple[Any, ...]) -> str:
    """A key path as a person writes it, without passwords."""
    return ".".join(_cut(str(part)) for part in where)


def shown(value: Any) -> str:
    """A value as it is told, without passwords."""
    return _cut(repr(value))


def _cut(text: str) -> str:
    text = url.redact(text)  # first: half a password would not be known any more
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
