"""Who somebody is here of whom an OpenID Connect provider says something. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer.access.user_name import user_name
from streamer.values.errors import ConfigError

MAX_GROUPS = 1000
"""That are read of one person's."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What is taken of it."""

    name: str
    """As the audit has him: "provider/anna". No user of ours has a slash in his name, so that nobody there becomes one
    of them by being called the same."""
    groups: tuple[str, ...]


def identity_of(claims: Mapping[str, Any], *, provider: str, name_claim: str, groups_claim: str) -> Identity:
    """What a provider's claims say.

    Args:
        claims: verified; `sub` is there.
        provider: what it is called here.
        name_claim: says his name. Without it his address counts, as far as the provider has checked it, and then his
            identifier there, which alone never changes and is never given to another (Core section 5.7).
        groups_claim: lists his groups, or names the only one.
    """
    # Some providers (Cognito) say it as a text. Anybody's word names nobody, also where that claim is the one asked.
    is_checked = claims.get("email_verified", True) in (True, "true")
    words = (claims.get(claim) for claim in (name_claim, "email") if claim != "email" or is_checked)
    name = next(filter(None, map(_name, words)), None) or _name(claims["sub"])
    if name is None:
        name = hashlib.sha256(str(claims["sub"]).encode(errors="surrogatepass")).hexdigest()[:32]
    said = claims.get(groups_claim, ())
    groups = (said,) if isinstance(said, str) else said if isinstance(said, list) else ()
    return Identity(f"{provider}/{name}", tuple(each for each in groups[:MAX_GROUPS] if isinstance(each, str)))


def _name(said: object) -> str | None:
    """What somebody may be called here; None: nobody may."""
    if not isinstance(said, str):
        return None
    try:
        return user_name(said)
    except ConfigError:
        return None
