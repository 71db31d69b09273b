"""ntfy (docs.ntfy.sh/publish): the message is the body, or a header where the picture is the body."""

import re
from email.header import Header

from streamer.outlets.document import page_of
from streamer.outlets.webhook.letter import Letter, Post
from streamer.outlets.words import message, title

TAGS = {"alert": "rotating_light", "event_began": "eyes", "test": "wave"}
"""Shown before the title. What has ended has none."""
_ASCII = re.compile(r"[ -~]*")


def ntfy(letter: Letter) -> Post:
    """To a topic's URL."""
    said = letter.notification
    headers = {"X-Title": _header(title(said))}
    if said.kind in TAGS:
        headers["X-Tags"] = TAGS[said.kind]
    if (page := page_of(said, letter.base)) is not None:
        headers["X-Click"] = page
    if letter.picture is not None:
        headers |= {"X-Message": _header(message(said)), "X-Filename": f"{said.event['id']}.jpg"}
        return Post(letter.url, "image/jpeg", letter.picture.image, headers)
    if letter.links is not None:
        headers |= {"X-Attach": letter.links.image, "X-Filename": f"{said.event['id']}.jpg"}
    return Post(letter.url, "text/plain; charset=utf-8", message(said).encode(errors="replace"), headers)


def _header(text: str) -> str:
    """A text as a header's value (RFC 2047 where it is not ASCII, which ntfy reads)."""
    if _ASCII.fullmatch(text):
        return text
    legible = text.encode(errors="replace").decode()
    return Header(legible, "utf-8", maxlinelen=10_000).encode(linesep="").replace("\n", "")
