"""A user name and password that a camera must know before it may push: the other side of Digest (RFC 7616).

Basic is never offered, and not taken: the connection is not encrypted. A nonce is good for one connection, where it was
given, so that nothing that was overheard can be said again over another.
"""

import hmac
import os
from typing import Literal

from streamer.source.login import Challenge, challenges_of, hashed
from streamer.source.rtsp.message import as_utf8
from streamer.values import url as urls
from streamer.values.clock import Clock

REALM = "Sightline"
OFFERED = ("SHA-256", "MD5")
"""The strongest first, as RFC 7616 section 3.7 wants it. FFmpeg and GStreamer heed the last, and know only MD5."""
NONCE_SECONDS = 15.0
"""How long a nonce is good for."""

Verdict = Literal["right", "wrong", "stale", "nothing"]
"""Stale: the password is right, and the nonce none of ours, or too old. Nothing: nobody logged in."""


class Lock:
    """Of one connection.

    Args:
        user: as it is meant.
        password: the same.
        clock: monotonic seconds.
    """

    def __init__(self, user: str, password: str, clock: Clock) -> None:
        self._user, self._password, self._clock = user, password, clock
        self._nonce, self._given_at = "", 0.0
        self.name: str | None = None
        """How it was opened: "Digest SHA-256"; None: it was not."""

    def challenges(self, *, stale: bool = False) -> list[str]:
        """What a camera is asked for, strongest first: the values of WWW-Authenticate, with a new nonce."""
        self._nonce, self._given_at = os.urandom(16).hex(), self._clock()
        said = f'Digest realm="{REALM}", nonce="{self._nonce}"' + (", stale=true" if stale else "")
        # Without qop, which phones' encoders do not know: some take all up to the last quote for the nonce.
        return [f"{said}, algorithm={algorithm}" for algorithm in OFFERED]

    def judge(self, authorization: str | None, method: str, url: str) -> Verdict:
        """Whether whoever asks knows user and password.

        Args:
            authorization: the value of that field; None: there is none.
            method: of the request.
            url: as it stands in the request line.
        """
        said = next((each for each in challenges_of([as_utf8(authorization or "")]) if each.scheme == "digest"), None)
        if said is None:
            return "wrong" if authorization else "nothing"
        if (
            said.algorithm not in OFFERED
            or not _leads(said.fields.get("uri", ""), as_utf8(url))
            or not self._knows(said, method)
        ):
            return "wrong"
        nonce = said.fields.get("nonce", "")
        if not self._nonce or nonce != self._nonce or self._clock() - self._given_at > NONCE_SECONDS:
            return "stale"
        self.name = f"Digest {said.algorithm}"
        return "right"

    def _knows(self, said: Challenge, method: str) -> bool:
        """Whether it is the answer of somebody who knows both, to whatever nonce; takes as long for any other."""
        algorithm, fields = said.algorithm, said.fields
        secret = hashed(algorithm, self._user, REALM, self._password)
        request = hashed(algorithm, method, fields.get("uri", ""))
        parts = [fields.get("nonce", "")]
        if fields.get("qop"):
            parts += [fields.get("nc", ""), fields.get("cnonce", ""), fields["qop"]]
        expected = hashed(algorithm, secret, *parts, request)
        user = hmac.compare_digest(fields.get("username", "").encode(), self._user.encode())
        return hmac.compare_digest(fields.get("response", "").lower().encode(), expected.encode()) and user


def _leads(uri: str, url: str) -> bool:
    """Whether an answer was made for this URL; some make it for the whole, and some without the host."""
    try:
        return urls.path_of(url).startswith(urls.path_of(uri))
    except ValueError:
        return False
