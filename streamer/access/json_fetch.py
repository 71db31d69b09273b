"""JSON of an OpenID Connect provider, over HTTP: little of it, soon, and from where it was asked for."""

import json
import os
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp

from streamer.values.errors import Refused

TIMEOUT = 10.0
"""Seconds for one answer, from its question to its end."""
MAX_BYTES = 256 << 10
"""Of one answer. Key sets and tokens are a few kilobytes."""

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class JsonFetch:
    """Asks one provider."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Ask nothing yet.

        Args:
            tls: whom its certificate may be signed by; None: whom the system knows.
        """
        self._tls = True if tls is None else tls

    async def get(self, url: str, token: str | None = None) -> dict[str, Any]:
        """What a URL says.

        Args:
            url: of the provider.
            token: shown there as a bearer token (RFC 6750 section 2.1).

        Raises:
            Refused: 503 nothing comes of it; 502 what comes is no JSON mapping, or another status than 200.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        status, said = await self._ask("GET", url, headers=headers)
        if status != 200:
            raise Refused(502, f"the provider answers {status} at {_shown(url)}, and not what it is to say")
        return said

    async def post(
        self, url: str, form: Mapping[str, str], login: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """What a URL says to a form: the status, and a JSON mapping.

        Args:
            url: of the provider.
            form: is sent there.
            login: name and password, shown by basic authentication (RFC 7617).

        Raises:
            Refused: 503 nothing comes of it; 502 what comes is no JSON mapping.
        """
        headers = {} if login is None else {"Authorization": aiohttp.encode_basic_auth(*login)}
        return await self._ask("POST", url, headers=headers, form=form)

    async def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,  # what is compressed all the same is no JSON
                ) as client,
                client.request(
                    method, url, data=form, headers={**_HEADERS, **headers}, ssl=self._tls, allow_redirects=False
                ) as response,
            ):
                body = bytearray()
                async for part in response.content.iter_any():
                    body += part
                    if len(body) > MAX_BYTES:
                        raise Refused(502, f"the provider says more than {MAX_BYTES >> 10} KiB at {_shown(url)}")
        except TimeoutError:
            raise _away(url, f"it said nothing within {TIMEOUT:.0f} s") from None
        except aiohttp.ClientConnectorCertificateError:
            raise _away(url, "its certificate is none that access.oidc.tls.ca or the system trusts") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _away(url, _why(error)) from None
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Refused(502, f"the provider answers {response.status} at {_shown(url)}, and no JSON mapping with it")
        return response.status, said


def _away(url: str, why: str) -> Refused:
    return Refused(503, f"the provider does not answer at {_shown(url)}: {why}", {"Retry-After": "5"})


def _why(error: Exception) -> str:
    """The system's own words: aiohttp and asyncio put theirs around them."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno)
    return getattr(cause, "strerror", None) or type(cause).__name__


def _shown(url: str) -> str:
    """Without a query, which may be a secret."""
    return url.partition("?")[0][:200]
