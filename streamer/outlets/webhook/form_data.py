"""A body of several parts, multipart/form-data (RFC 7578). Pure but for the dice of its boundary."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form. Names are ours, and hold no quotes."""

    name: str
    body: bytes
    type: str = "text/plain; charset=utf-8"
    file: str | None = None
    """What it is called as a file; None: it is none."""


def form_data(parts: Iterable[Part]) -> tuple[str, bytes]:
    """The media type, and the body."""
    boundary = secrets.token_hex(16)
    written = bytearray()
    for part in parts:
        file = "" if part.file is None else f'; filename="{part.file}"'
        head = f'Content-Disposition: form-data; name="{part.name}"{file}\r\nContent-Type: {part.type}'
        written += f"--{boundary}\r\n{head}\r\n\r\n".encode() + part.body + b"\r\n"
    written += f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", bytes(written)
