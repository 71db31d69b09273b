"""The section `access`: who may come in, and how it is known who he is."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from streamer.config.ingress import checked_pattern
from streamer.config.section import Section

RoleWord = Literal["viewer", "operator", "admin"]
Text = Annotated[str, Field(min_length=1)]


def _checked_header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", value):
        raise ValueError(f"{value!r} is no header; allowed is a name such as Remote-User")
    return value


def _checked_issuer(value: str) -> str:
    if not re.fullmatch(
        r"https://[^/?#@\s]+(/[^?#\s]*)?|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^?#\s]*)?", value
    ):
        raise ValueError(f"{value!r} is no issuer; allowed is https://host[:port][/path], and http:// on this machine")
    return value


def _group(value: Any) -> Any:
    """A role alone stands for that role on every stream."""
    return {"role": value} if isinstance(value, str) else value


Header = Annotated[str, AfterValidator(_checked_header)]
Issuer = Annotated[str, AfterValidator(_checked_issuer)]
Pattern = Annotated[str, AfterValidator(checked_pattern)]


class GroupSettings(Section):
    """What the members of a group may."""

    role: RoleWord
    streams: Annotated[list[Pattern], Field(min_length=1)] = Field(default=["*"])
    """Names, or patterns with * and ?."""


class ProxySettings(Section):
    """Users as one of `server.trusted_proxies` names them."""

    user_header: Header = "Remote-User"
    groups_header: Header = "Remote-Groups"
    """Groups, with commas between."""
    default_role: RoleWord | None = None
    """Of users in none of `groups`. None: they may what anybody may."""


class OidcTlsSettings(Section):
    """How the provider proves who it is."""

    ca: Text | None = None
    """Path of a PEM file. None: the system's authorities."""


class OidcSettings(Section):
    """OpenID Connect: a provider of sign-ons that we ask ourselves."""

    issuer: Issuer
    client_id: Text
    client_secret: Text | None = None
    """None: we are a public client, by PKCE alone."""
    name: Text = "single sign-on"
    """As the sign-in page calls it."""
    scopes: Annotated[list[Text], Field(min_length=1, max_length=20)] = Field(default=["openid", "profile"])
    groups_claim: Text = "groups"
    name_claim: Text = "preferred_username"
    default_role: RoleWord | None = None
    """Of users in none of `groups`. None: they may not come in."""
    tls: OidcTlsSettings = OidcTlsSettings()


class AccessSettings(Section):
    """Who may come in. Without this section nobody is asked on loopback, and elsewhere nothing starts without users."""

    anonymous: list[Literal["view", "publish", "operate", "metrics"]] = Field(default_factory=list)
    """What anybody may, on every stream, without saying who he is."""
    session_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 12.0
    """After which whoever signed in is asked again."""
    store: Text | None = None
    """Path of the file that keeps users, tokens and sessions. None: beside the configuration."""
    groups: dict[Text, Annotated[GroupSettings, BeforeValidator(_group)]] = Field(default_factory=dict)
    """What the groups of a proxy or a provider mean here."""
    proxy: ProxySettings | None = None
    oidc: OidcSettings | None = None


def store_path(access: AccessSettings | None, path: Path | None) -> Path | None:
    """Where users are kept: where the configuration says, else beside it.

    Args:
        access: the section.
        path: the file it stands in; None: it is no file.
    """
    if access is not None and access.store is not None:
        return Path(access.store)
    return None if path is None else path.with_suffix(".access.json")


def audit_path(store: Path) -> Path:
    """Where the audit is, beside what it is about."""
    return store.with_name(f"{store.name.removesuffix('.json').removesuffix('.access')}.audit.jsonl")
