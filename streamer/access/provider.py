"""An OpenID Connect provider as its client sees it: where it lets somebody sign in, and what it says of him then.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0 section 3.1; RFC 7636; RFC 9700 section 2.1).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote_plus, urlencode

from streamer.access.json_fetch import JsonFetch
from streamer.access.pending import Pending
from streamer.access.provider_metadata import ProviderMetadata, metadata_of, metadata_url
from streamer.access.remembered import LASTS, Remembered
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded, Refused

KEYS_LAST = 60.0
"""Seconds in which keys are not asked for again because a token's is not among them."""
AT_ONCE = 8
"""Codes that are redeemed at a time."""
AT_ONCE_EACH = 4
"""Of one address: codes that are none keep nobody else from coming in."""


@dataclass(frozen=True, slots=True)
class Client:
    """We, as the provider knows us."""

    issuer: str
    """The provider's own name: a URL, without "/.well-known/openid-configuration"."""
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None: a public client, by PKCE alone."""
    scopes: tuple[str, ...] = ("openid", "profile")
    claims: tuple[str, ...] = ()
    """What we want to know of somebody. Where his ID token lacks one of them, his user info is asked for."""


class Provider:
    """One."""

    def __init__(self, client: Client, fetch: JsonFetch, clock: Clock) -> None:
        """Ask it nothing yet.

        Args:
            client: we.
            fetch: asks it.
            clock: monotonic seconds.
        """
        self._client, self._fetch = client, fetch
        self._errands = Errands(1, "id-token")
        self._redeeming = Counter[str]()
        """By address."""
        self._metadata = Remembered(self._fetch_metadata, clock)
        self._keys = Remembered(self._fetch_keys, clock)

    async def way_there(self, pending: Pending) -> str:
        """The URL at which somebody signs in.

        Raises:
            Refused: 503 the provider does not answer; 502 it says what cannot be used.
        """
        metadata = await self._metadata.get()
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": pending.redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self._client.scopes))),
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"

    async def way_out(self) -> str | None:
        """The URL at which somebody signs out of the provider as well; None: it has none.

        Raises:
            Refused: as `way_there`.
        """
        endpoint = (await self._metadata.get()).end_session_endpoint
        if endpoint is None:
            return None
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode({'client_id': self._client.client_id})}"

    async def claims(self, code: str, issuer: str | None, pending: Pending) -> Mapping[str, Any]:
        """What the provider says of who came back with a code.

        Args:
            code: as he brings it.
            issuer: who he says gave it to him (RFC 9207); None: he says nothing of it.
            pending: what he began.

        Raises:
            Refused: 400 the code is another issuer's; 403 the provider does not take it; 502 it says what cannot be
                believed; 503 it does not answer.
            Overloaded: too many codes are redeemed at a time.
        """
        metadata = await self._metadata.get()
        if issuer != self._client.issuer and (issuer is not None or metadata.says_issuer):
            raise Refused(400, "this answer is another provider's than access.oidc.issuer")
        if self._redeeming.total() >= AT_ONCE or self._redeeming[pending.address] >= AT_ONCE_EACH:
            raise Overloaded("too many sign in at the same time")
        self._redeeming[pending.address] += 1
        try:
            tokens = await self._redeem(code, pending, metadata)
            claims = await self._verified(_text(tokens, "id_token"), pending)
            return await self._with_user_info(claims, tokens, metadata)
        finally:
            self._redeeming -= Counter([pending.address])  # who has none left is forgotten

    async def _redeem(self, code: str, pending: Pending, metadata: ProviderMetadata) -> Mapping[str, Any]:
        """Tokens for a code (RFC 6749 section 4.1.3)."""
        client, login = self._client, None
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect_uri,
            "code_verifier": pending.verifier,
        }
        if client.client_secret is not None and metadata.takes_basic:
            # Both as a form has them (RFC 6749 section 2.3.1).
            login = (quote_plus(client.client_id), quote_plus(client.client_secret))
        elif client.client_secret is not None:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        else:
            form |= {"client_id": client.client_id}
        status, said = await self._fetch.post(metadata.token_endpoint, form, login)
        if status == 200:
            return said
        error = said.get("error")
        word = error if isinstance(error, str) and error.isidentifier() and len(error) <= 60 else str(status)
        if word == "invalid_grant":  # RFC 6749 section 5.2: used before, expired, or another's
            raise Refused(403, "the provider does not take this code: it was used, has expired or is another's")
        raise Refused(502, f"the provider gives no tokens: {word}; see its log, and access.oidc")

    async def _verified(self, token: str, pending: Pending) -> dict[str, Any]:
        """The claims of an ID token. A key that is not known may be a new one, and is looked for once."""
        for at_most in (LASTS, KEYS_LAST):
            key_set = await self._keys.get(at_most)
            claims = await self._errands.run(partial(self._verify, token, key_set, pending))
            if claims is not None:
                return claims
        raise Refused(502, "the provider's ID token is not taken: it is signed by none of the provider's keys")

    def _verify(self, token: str, key_set: Mapping[str, Any], pending: Pending) -> dict[str, Any] | None:
        """None: its key is not known. In a thread: the library is loaded here, by who first needs it."""
        from streamer.access import id_token

        key = id_token.key_for(token, key_set)
        if key is None:
            return None
        return id_token.claims_of(
            token, key, id_token.Expected(self._client.issuer, self._client.client_id, pending.nonce)
        )

    async def _with_user_info(
        self, claims: dict[str, Any], tokens: Mapping[str, Any], metadata: ProviderMetadata
    ) -> Mapping[str, Any]:
        """With what some providers say of somebody elsewhere than in the token (Core section 5.3)."""
        access_token = tokens.get("access_token")
        if metadata.userinfo_endpoint is None or claims.keys() >= {*self._client.claims}:
            return claims
        if not isinstance(access_token, str) or not (access_token.isascii() and access_token.isprintable()):
            return claims
        said = await self._fetch.get(metadata.userinfo_endpoint, access_token)
        if said.get("sub") != claims["sub"]:  # Core section 5.3.2
            raise Refused(502, "the provider's user info is about somebody else than its ID token")
        return {**said, **claims}

    async def _fetch_metadata(self) -> ProviderMetadata:
        return metadata_of(await self._fetch.get(metadata_url(self._client.issuer)), self._client.issuer)

    async def _fetch_keys(self) -> dict[str, Any]:
        return await self._fetch.get((await self._metadata.get()).jwks_uri)


def _text(said: Mapping[str, Any], key: str) -> str:
    found = said.get(key)
    if not isinstance(found, str):
        raise Refused(502, f"the provider gives no {key}; is openid among access.oidc.scopes?")
    return found
