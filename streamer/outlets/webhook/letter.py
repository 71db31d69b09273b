"""One attempt to tell one receiver, before and after a recipe has put it into words. Values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from streamer.values.event import Picture
from streamer.values.notification import Notification

PictureForm = Literal["none", "inline", "link", "multipart"]


@dataclass(frozen=True, slots=True)
class PictureLinks:
    """Where the picture is for a while, for who has the link."""

    image: str
    thumbnail: str
    expires_at: int
    """UTC, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be told."""

    notification: Notification
    url: str = field(repr=False)
    """The receiver's."""
    form: PictureForm = "none"
    """How the picture comes with it."""
    picture: Picture | None = None
    """None: there is none, or it does not come with it."""
    links: PictureLinks | None = field(default=None, repr=False)
    """None: as `picture`."""
    base: str | None = None
    """Where browsers find the page, without a slash at its end; None: nobody said."""
    chat: str = ""
    """Telegram's."""


@dataclass(frozen=True, slots=True)
class Post:
    """The request that is made of it, by POST."""

    url: str = field(repr=False)
    type: str
    """Of the body: its media type."""
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_document: bool = False
    """Whether it is ours, and has the headers of a CloudEvent."""
