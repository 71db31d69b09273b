"""What somebody did, or tried to, as the audit keeps it: a line of JSON. Pure."""

import json
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

LONGEST = 200
"""Characters of a field that are kept; of more, the first. A stranger chooses some of them."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One."""

    at: float
    """UTC, seconds since 1970."""
    who: str
    what: str
    """A noun and a verb: "session begin", "user add", "stream remove"."""
    target: str = ""
    """What it was done to: a user, a token, a stream."""
    address: str = ""
    ok: bool = True
    """Whether it came about."""
    detail: str = ""
    """What a person would want to know beside; never a secret."""

    def line(self) -> bytes:
        """As it is written, with the end of the line."""
        fields = {key: _short(value) for key, value in asdict(self).items()} | {"at": round(self.at, 3)}
        return json.dumps(fields).encode() + b"\n"


_ADAPTER = TypeAdapter(Deed)


def _short(value: float | str) -> float | str:
    return value[:LONGEST] if isinstance(value, str) else value


def read_deed(line: bytes) -> Deed | None:
    """What a line says; None: it is torn, or was written by hand."""
    try:
        return _ADAPTER.validate_json(line, strict=True)
    except ValidationError:
        return None
