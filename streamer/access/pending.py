"""Sign-ins under way at an OpenID Connect provider: what is remembered until a browser comes back from there.

Each is used once, within ten minutes, by the browser that began it: nobody can have another browser end what he began
(RFC 6749 section 10.12), nor use a code that he overheard (RFC 7636).
"""

import base64
import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field

from streamer.access.credential import digest
from streamer.values.clock import Clock
from streamer.values.errors import Refused
from streamer.values.host import network_of

LASTS = 600.0
"""Seconds somebody gets for his password, and whatever else he is asked there."""
MOST = 256
"""At a time. Of more, the oldest goes of the address that has most, of IPv6 the /64: strangers push out their own."""


@dataclass(frozen=True, slots=True)
class Pending:
    """One."""

    browser: str
    """SHA-256, in hex, of the cookie by which the browser is known again."""
    address: str
    """Where it came from: of IPv6 the /64."""
    redirect_uri: str
    """Where it comes back to."""
    return_to: str
    """Where it is sent at the end: a path of ours."""
    ends_at: float
    """Monotonic seconds."""
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """By which the way back is known for this one's."""
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """By which the ID token is."""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """Whose hash goes ahead, and which is shown with the code (RFC 7636 section 4.1)."""

    @property
    def challenge(self) -> str:
        """Of the verifier, by S256 (RFC 7636 section 4.2)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class PendingSignIns:
    """Those of one service."""

    def __init__(self, clock: Clock) -> None:
        """None yet.

        Args:
            clock: monotonic seconds.
        """
        self._clock = clock
        self._by_state: dict[str, Pending] = {}

    def __len__(self) -> int:
        return len(self._by_state)

    def begin(self, browser: str, address: str, redirect_uri: str, return_to: str) -> Pending:
        """Send a browser on its way.

        Args:
            browser: the secret in its cookie.
            address: where it comes from.
            redirect_uri: where the provider sends it back.
            return_to: where it is sent at the end.
        """
        self._forget_what_ended()
        if len(self._by_state) >= MOST:
            crowd, _ = Counter(each.address for each in self._by_state.values()).most_common(1)[0]
            oldest = next(each for each in self._by_state.values() if each.address == crowd)
            del self._by_state[oldest.state]
        begun = Pending(digest(browser), network_of(address), redirect_uri, return_to, self._clock() + LASTS)
        self._by_state[begun.state] = begun
        return begun

    def end(self, state: str, browser: str) -> Pending:
        """What a browser comes back from; it does so once.

        Args:
            state: as the provider hands it back.
            browser: the secret in its cookie; "" where there is none.

        Raises:
            Refused: 400 there is no such one, or it is another browser's.
        """
        self._forget_what_ended()
        found = self._by_state.get(state)
        if found is None:
            raise Refused(400, "this sign-in was not begun here, was ended already, or took longer than ten minutes")
        if not secrets.compare_digest(found.browser, digest(browser)):
            raise Refused(400, "this sign-in was begun in another browser, or this one keeps no cookies")
        del self._by_state[state]
        return found

    def _forget_what_ended(self) -> None:
        now = self._clock()
        for each in [each for each in self._by_state.values() if each.ends_at <= now]:
            del self._by_state[each.state]
