"""Accounts as JSON, for the file they are kept in. Pure."""

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from streamer.access.accounts import Accounts, Session, Token, User

VERSION = 1
MAX_BYTES = 16 << 20
"""Of such a file: ten thousand users are a quarter of it."""


@dataclass(frozen=True)
class _Document:
    version: int
    users: list[User] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    link_key: Annotated[str, Field(pattern=r"\A([0-9a-f]{64})?\z")] = ""


_ADAPTER = TypeAdapter(_Document)
_VERSION = re.compile(rb'\s*\{\s*"version"\s*:\s*(\d{1,9})\s*[,}]')
"""First in the file, so that it is understood before anything that a later version may have put behind it."""


def written(accounts: Accounts) -> bytes:
    """The content of the file.

    Raises:
        ValueError: it would be too large; says so.
    """
    content = _ADAPTER.dump_json(
        _Document(
            VERSION,
            list(accounts.users.values()),
            list(accounts.tokens.values()),
            list(accounts.sessions.values()),
            accounts.link_key,
        ),
        indent=1,
    )
    if len(content) > MAX_BYTES:
        raise ValueError(f"it would be larger than {MAX_BYTES >> 20} MiB")
    return content


def understood(content: bytes) -> Accounts:
    """What such a file says.

    Raises:
        ValueError: it is no such document; why, in words that hold nothing of its content.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB")
    version = _VERSION.match(content)
    if version is not None and int(version[1]) != VERSION:
        raise ValueError(f"it is of version {int(version[1])}, and {VERSION} is understood here")
    try:
        document = _ADAPTER.validate_json(content, strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        if where:
            raise ValueError(f"{where}: {first['msg']}") from None
        raise ValueError("it is not JSON" if first["type"] == "json_invalid" else "it is no mapping") from None
    return Accounts(
        MappingProxyType({user.name: user for user in document.users}),
        MappingProxyType({token.digest: token for token in document.tokens}),
        MappingProxyType({session.digest: session for session in document.sessions}),
        document.link_key,
    )
