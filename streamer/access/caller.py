"""For whom a replica of a cluster asks another, said so that nobody else can say it: one signed header. Pure.

Signed (HMAC-SHA256, RFC 2104) is who asks together with which replica is asked, by which method and for what: what one
request carries opens nothing else, and nothing half a minute later.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer.access.action import Action
from streamer.access.principal import EVERY_STREAM, Grant, Principal
from streamer.values.errors import Refused

CALLER = "Sightline-Caller"
"""The header. A refusal that carries it, too, refuses what stood in it, and not whoever asks."""
LASTS = 30.0
"""Seconds that it counts. The replicas' clocks may be apart by as much less than that as a request takes."""
LONGEST = 6000
"""Characters; aiohttp takes 8190 of a header."""
VERSION = "1"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks, as the replica knows him that he asked."""

    principal: Principal
    address: str
    """His, not the replica's."""
    prefix: str = ""
    """What he has before our paths."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which replica."""

    replica: str
    """Its name."""
    method: str
    target: str
    """Path and query, as they stand in the request, without the folder that a proxy has us in."""


def about(principal: Principal, stream: str) -> Principal:
    """What somebody may to one stream: no more is passed on than it takes."""
    grants = (
        Grant(grant.actions, EVERY_STREAM if "*" in grant.streams else (stream,))
        for grant in principal.grants
        if grant.covers(stream)
    )
    return Principal(principal.kind, principal.name, tuple(dict.fromkeys(grants)))


def signed(caller: Caller, question: Question, key: bytes, now: float) -> str:
    """The header's value.

    Args:
        caller: who asks.
        question: what is asked.
        key: the cluster's.
        now: UTC, seconds since 1970.
    """
    said = {
        "until": now + LASTS,
        "kind": caller.principal.kind,
        "name": caller.principal.name,
        "grants": [[sorted(grant.actions), list(grant.streams)] for grant in caller.principal.grants],
        "address": caller.address,
        "prefix": caller.prefix,
    }
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    payload = urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()
    return f"{VERSION}.{payload}.{_signature(payload, question, key)}"


def checked(value: str, question: Question, key: bytes, now: float) -> Caller:
    """Who asks, by the header's value. The arguments are those of `signed`, as whoever is asked sees them.

    Raises:
        Refused: 401, it is not signed for this question, or no longer counts.
    """
    version, _, rest = value.partition(".")
    payload, _, signature = rest.partition(".")
    if version != VERSION or len(value) > LONGEST:
        raise _refused("it is of another form")
    expected = _signature(payload, question, key)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape")):
        raise _refused("it was signed for another request, or with another `cluster.key`")
    said: Mapping[str, Any] = json.loads(urlsafe_b64decode(payload).decode("utf-8", "surrogatepass"))
    if not now < said["until"] <= now + 2 * LASTS:
        raise _refused("it counts no longer, or not yet: the clocks of two replicas are far apart")
    grants = (Grant(frozenset(map(Action, actions)), tuple(streams)) for actions, streams in said["grants"])
    return Caller(Principal(said["kind"], said["name"], tuple(grants)), said["address"], said["prefix"])


def unknown_here() -> Refused:
    """What is answered to such a header where there is no cluster."""
    return _refused("this service is in no cluster")


def _signature(payload: str, question: Question, key: bytes) -> str:
    parts = [f"{CALLER} {VERSION}", question.replica, question.method, question.target, payload]
    return hmac.new(key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


def _refused(why: str) -> Refused:
    return Refused(401, f"what the header {CALLER} says is not believed: {why}", {CALLER: "refused"})
