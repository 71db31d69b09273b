"""One receiver over HTTP: what it is told becomes a request, sent to an address that was judged, and to no other."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import aiohttp
from yarl import URL

from streamer.outlets.sender import Undelivered
from streamer.outlets.webhook.answer import require_taken
from streamer.outlets.webhook.cloud_event import attributes
from streamer.outlets.webhook.letter import Letter, PictureForm, PictureLinks, Post
from streamer.outlets.webhook.pinned import Pinned
from streamer.outlets.webhook.recipes.ntfy import ntfy
from streamer.outlets.webhook.recipes.plain import plain
from streamer.outlets.webhook.recipes.slack import slack
from streamer.outlets.webhook.recipes.telegram import telegram
from streamer.outlets.webhook.signature import signed
from streamer.values import url as urls
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import SourceError
from streamer.values.event import Picture
from streamer.values.notification import Notification

RECIPES: dict[str, Callable[[Letter], Post]] = {
    "plain": plain,
    "home-assistant": plain,
    "ntfy": ntfy,
    "slack": slack,
    "telegram": telegram,
}
TIMEOUT = 10.0
"""Seconds for one attempt, from the name's lookup to what the answer says."""
SLOWEST = 64 << 10
"""Bytes a second of a body, for which there is as much more time."""
MOST_READ = 1 << 10
"""Bytes of an answer's body; what comes behind them is not waited for."""
SAYING = 1.0
"""Seconds that these may come after the headers; what comes later is not waited for either."""

Addresses = Callable[[str, int], Sequence[str]]
"""Takes host and port, gives the numeric addresses that may be reached; blocks. Raises SourceError."""
MakeLinks = Callable[[str, str], Awaitable[PictureLinks | None]]
"""Takes stream and event, gives links to the event's picture; None: there can be none now."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """As the configuration has it."""

    url: str = field(repr=False)
    key: bytes | None = field(default=None, repr=False)
    """What requests are signed with; None: they are not."""
    recipe: str = "plain"
    form: PictureForm = "none"
    chat: str = ""
    base: str | None = None
    """Where browsers find the page, without a slash at its end; None: nobody said."""

    @property
    def place(self) -> str:
        """All of it that anybody may see."""
        return URL(self.url).host or ""


class Webhook:
    """Tells one receiver."""

    def __init__(self, receiver: Receiver, addresses: Addresses, make_links: MakeLinks, wall: Clock) -> None:
        """Tell it nothing yet.

        Args:
            receiver: whom.
            addresses: judges where it is.
            make_links: makes links to pictures.
            wall: UTC, seconds since 1970.
        """
        self.receiver = receiver
        self._addresses, self._make_links, self._wall = addresses, make_links, wall
        self._writing, self._asking = Errands(2, "webhook"), Errands(2, "webhook-names")
        urls.hold_whole(receiver.url, self)

    @property
    def wants_picture(self) -> bool:
        """Whether a picture goes with what it is told."""
        return self.receiver.form != "none"

    async def send(self, notification: Notification, picture: Picture | None) -> None:
        """Bring it there.

        Raises:
            Undelivered: it was not taken, or nobody knows.
        """
        receiver, links = self.receiver, None
        if receiver.form == "link" and picture is not None:
            links = await self._make_links(notification.stream, str(notification.event.get("id")))
            picture = None
        letter = Letter(notification, receiver.url, receiver.form, picture, links, receiver.base, receiver.chat)
        post, headers = await self._writing.run(partial(self._written, letter))
        try:
            async with asyncio.timeout(TIMEOUT + len(post.body) / SLOWEST):
                await self._sent(post, headers)
        except TimeoutError:
            raise Undelivered(f"it has not answered within {TIMEOUT:.0f} s") from None
        except aiohttp.ClientConnectorCertificateError:
            raise Undelivered("its certificate is none that the system trusts") from None
        except aiohttp.ClientSSLError as error:
            reason = getattr(error.os_error, "reason", None) or "no TLS"
            raise Undelivered(f"it cannot be reached by https: {reason}") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Undelivered(f"it cannot be reached: {_why(error)}") from None

    def _written(self, letter: Letter) -> tuple[Post, dict[str, str]]:
        """The request. In a thread: with a picture of some megabytes it takes as many milliseconds."""
        receiver, notification = self.receiver, letter.notification
        post = RECIPES[receiver.recipe](letter)
        headers = {"Content-Type": post.type, **post.headers}
        if post.is_document:
            headers |= attributes(notification, receiver.base)
        return post, {**headers, **signed(notification.id, int(self._wall()), post.body, receiver.key)}

    async def _sent(self, post: Post, headers: dict[str, str]) -> None:
        """Over a connection of its own, so that each attempt's address is judged."""
        target = URL(post.url)
        connector = aiohttp.TCPConnector(resolver=Pinned(await self._judged(target)), use_dns_cache=False)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),  # there is one around all of it
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"User-Agent": "Sightline", "Accept-Encoding": "identity"},
            ) as client,
            client.post(target, data=post.body, headers=headers, allow_redirects=False) as response,
        ):
            require_taken(response.status, response.headers, await _said(response), self._wall(), urls.redact)

    async def _judged(self, target: URL) -> Sequence[str]:
        host, port = target.raw_host or "", target.port or 0
        try:
            return await self._asking.run(partial(self._addresses, host, port))
        except SourceError as error:
            if error.kind == "forbidden":
                raise Undelivered(
                    f"{host} stands for an address that it may not have; `networks` can allow it"
                ) from None
            raise Undelivered(str(error)) from None


async def _said(response: aiohttp.ClientResponse) -> bytes:
    """The first of an answer's body, if it comes soon. Its status says it all: what was taken is not told again because
    the words that go with it are late, or cut off.
    """
    try:
        async with asyncio.timeout(SAYING):
            return await response.content.readexactly(MOST_READ)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    except (TimeoutError, aiohttp.ClientError):
        return b""


def _why(error: Exception) -> str:
    """The system's own words: aiohttp's sentences hold more of an address than anybody may see."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno)
    return {
        "ServerDisconnectedError": "it hung up",
        "ClientOSError": "the connection broke",
    }.get(type(cause).__name__, type(cause).__name__)
