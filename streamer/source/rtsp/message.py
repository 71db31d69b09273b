"""Requests and responses as RTSP writes them (RFC 2326, RFC 7826), and the bytes of a connection taken apart. Pure.

Between messages come interleaved packets (RFC 2326 section 10.12). All sizes are judged before memory is taken: what is
read lies in one buffer that never grows.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from streamer.values.errors import SourceError

MAX_HEAD = 16 << 10
"""Bytes of a head, its blank line included."""
MAX_BODY = 64 << 10
"""Bytes of a body: a camera's description has about one thousand."""
LARGEST_CHUNK = 4 + 0xFFFF
"""Bytes of the largest interleaved packet, its four bytes of head included."""
CAPACITY = 256 << 10
"""Bytes that may lie in the buffer: more than the largest of the above, and room for a good read."""

_CHUNK = struct.Struct(">BBH")
_END = re.compile(rb"\n\r?\n")
_RESPONSE = re.compile(r"RTSP/\d\.\d[ \t]+(\d{3})(?:[ \t]+(.*))?", re.IGNORECASE | re.ASCII)
_REQUEST = re.compile(r"([A-Z_]{3,20})[ \t]+(\S+)[ \t]+RTSP/\d\.\d[ \t]*", re.ASCII)
_BEGINNING = re.compile(rb"[Rr][Tt][Ss][Pp]/|[A-Z_]{3,20} ")
"""Of a response, and of a request."""
_LONGEST_BEGINNING = 21

Chunk = tuple[int, bytes]
"""An interleaved packet: its channel, and what it carries."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a head, in their order; names in lower case."""

    pairs: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> Iterator[str]:
        """The values of every field of that name."""
        return (value for known, value in self.pairs if known == name)

    def get(self, name: str) -> str | None:
        """The value of the first."""
        return next(self.all(name), None)


@dataclass(frozen=True, slots=True)
class Response:
    """What answers a request."""

    status: int
    reason: str
    """As a person reads it; "" where there is none."""
    fields: Fields
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Request:
    """What one side asks of the other."""

    method: str
    url: str
    fields: Fields
    body: bytes = b""


Message = Request | Response


class Inbox:
    """What comes over one connection: bytes in, messages and interleaved packets out."""

    def __init__(self) -> None:
        self._buffer = bytearray(CAPACITY)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._searched = 0
        """Up to here no head's end was found."""
        self._head: Message | None = None
        """Whose body has not come yet."""
        self._missing = 0
        """Bytes of that body."""
        self._begun = False
        """Whether anything whole has come."""

    def room(self) -> memoryview:
        """Where the next bytes go; tell `filled` how many there are. Never empty, once `take` has given None."""
        if self._start == self._end:
            self._start = self._end = self._searched = 0
        elif len(self._buffer) - self._end < LARGEST_CHUNK:
            left = self._end - self._start
            self._buffer[:left] = self._buffer[self._start : self._end]
            self._searched = max(0, self._searched - self._start)
            self._start, self._end = 0, left
        return self._view[self._end :]

    def filled(self, size: int) -> None:
        """So many bytes were put there."""
        self._end += size

    def take(self) -> Chunk | Message | None:
        """What is whole; None: more must come.

        Raises:
            SourceError: kind "protocol"; what came is neither. Kind "too_large": beyond MAX_HEAD or MAX_BODY.
        """
        if self._head is not None:
            return self._body(self._head)
        start, end, buffer = self._start, self._end, self._buffer
        while start < end and buffer[start] in b"\r\n":  # some send one more after a body
            start += 1
        self._start = start
        if end - start < 4:
            return None
        if buffer[start] != 0x24:  # "$"
            return self._message()
        after = start + 4 + (buffer[start + 2] << 8 | buffer[start + 3])
        if after > end:
            return None
        self._start, self._begun = after, True
        return buffer[start + 1], bytes(self._view[start + 4 : after])

    def run(self, channel: int) -> list[bytes]:
        """The packets of one channel that are whole and come next, up to anything else, which `take` gives."""
        found: list[bytes] = []
        start, end, view = self._start, self._end, self._view
        while self._head is None and end - start >= 4:
            dollar, of, size = _CHUNK.unpack_from(view, start)
            after = start + 4 + size
            if dollar != 0x24 or of != channel or after > end:
                break
            found.append(bytes(view[start + 4 : after]))
            start = after
        self._start = start
        self._begun = self._begun or bool(found)
        return found

    def _message(self) -> Message | None:
        start, end = self._start, self._end
        if not _BEGINNING.match(self._buffer, start, end) and not self._may_begin(start, end):
            raise not_rtsp(begun=self._begun)
        found = _END.search(self._buffer, max(start, self._searched - 3), end)
        size = (found.end() if found else end) - start
        if size > MAX_HEAD:
            raise SourceError("too_large", f"the camera's answer has a head of more than {MAX_HEAD >> 10} KiB")
        if found is None:
            self._searched = end
            return None
        head = read_head(bytes(self._view[start : found.end()]))
        self._start = self._searched = found.end()
        self._missing = body_size(head.fields)
        self._head = head
        return self._body(head)

    def _may_begin(self, start: int, end: int) -> bool:
        """Whether what is there may still become the beginning of a message."""
        begun = bytes(self._view[start : min(end, start + _LONGEST_BEGINNING)])
        return end - start < _LONGEST_BEGINNING and re.fullmatch(rb"[A-Z_]+|[Rr]([Tt]([Ss][Pp]?)?)?", begun) is not None

    def _body(self, head: Message) -> Message | None:
        after = self._start + self._missing
        if after > self._end:
            return None
        body = bytes(self._view[self._start : after])
        self._start, self._head, self._begun = after, None, True
        if isinstance(head, Response):
            return Response(head.status, head.reason, head.fields, body)
        return Request(head.method, head.url, head.fields, body)


def read_head(head: bytes) -> Message:
    """A head, from its first line to the blank one.

    Raises:
        SourceError: kind "protocol".
    """
    first, *lines = re.split(r"\r?\n", head.decode("latin-1"))
    pairs: list[tuple[str, str]] = []
    folded = ""
    for line in lines:
        if line[:1] in (" ", "\t") and pairs:  # folded (RFC 2326 section 15.1)
            folded += f" {line.strip()}"
            continue
        _unfold(pairs, folded)
        folded = ""
        name, colon, value = line.partition(":")
        if colon:
            pairs.append((name.strip().lower(), value.strip()))
    _unfold(pairs, folded)
    fields = Fields(tuple(pairs))
    if answered := _RESPONSE.fullmatch(first):
        return Response(int(answered[1]), (answered[2] or "").strip(), fields)
    if asked := _REQUEST.fullmatch(first):
        return Request(asked[1], asked[2], fields)
    raise not_rtsp(begun=False)


def as_utf8(text: str) -> str:
    """What stands in a head as UTF-8, where it is that: every other byte is a character of its own there."""
    try:
        return text.encode("latin-1").decode()
    except ValueError:
        return text


def not_rtsp(*, begun: bool) -> SourceError:
    """What comes is neither a packet nor a message; `begun`: others came before."""
    if begun:
        return SourceError("protocol", "the camera sends something between its packets that is not RTSP")
    return SourceError("protocol", "what answers at this port does not speak RTSP")


def _unfold(pairs: list[tuple[str, str]], folded: str) -> None:
    """Put what stood in folded lines behind the value they belong to."""
    if folded:
        pairs[-1] = (pairs[-1][0], (pairs[-1][1] + folded).strip())


def body_size(fields: Fields) -> int:
    """How long a body is said to be, in bytes.

    Raises:
        SourceError: kind "protocol" or "too_large".
    """
    said = fields.get("content-length") or "0"
    if not re.fullmatch(r"\d{1,20}", said, re.ASCII):
        raise SourceError("protocol", "the camera does not say how long its answer is")
    if int(said) > MAX_BODY:
        raise SourceError("too_large", f"the camera's answer has {int(said)} bytes; {MAX_BODY} are read at the most")
    return int(said)


def write(first: str, fields: list[tuple[str, str]]) -> bytes:
    """A head without a body: its first line and its fields."""
    lines = [first, *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode()
