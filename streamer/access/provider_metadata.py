"""What an OpenID Connect provider says of itself (OpenID Connect Discovery 1.0 section 3). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from streamer.values.errors import Refused
from streamer.values.host import is_loopback


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The part of it that is used here."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    """OpenID Connect RP-Initiated Logout 1.0 section 2.1."""
    takes_basic: bool = True
    """A client's secret is shown by HTTP's basic authentication; else in the form."""
    says_issuer: bool = False
    """Every answer says whose it is (RFC 9207 section 3)."""


def metadata_url(issuer: str) -> str:
    """Where an issuer says it (section 4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def metadata_of(said: Mapping[str, Any], issuer: str) -> ProviderMetadata:
    """What an issuer says.

    Raises:
        Refused: 502 it is not what access.oidc.issuer is to say, or lacks what is needed.
    """
    if said.get("issuer") != issuer:  # section 4.3: exactly
        told = str(said.get("issuer"))[:200]
        raise Refused(502, f"the provider calls itself {told!r}; access.oidc.issuer must be exactly that")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return ProviderMetadata(
        _needed(said, "authorization_endpoint"),
        _needed(said, "token_endpoint"),
        _needed(said, "jwks_uri"),
        _url(said, "userinfo_endpoint"),
        _url(said, "end_session_endpoint"),
        takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
        says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _needed(said: Mapping[str, Any], key: str) -> str:
    found = _url(said, key)
    if found is None:
        raise Refused(502, f"the provider does not say its {key}")
    return found


def _url(said: Mapping[str, Any], key: str) -> str | None:
    """One of its addresses: over TLS, unless it is on this machine."""
    found = said.get(key)
    if found is None:
        return None
    try:
        parts = urlsplit(found) if isinstance(found, str) and found.isascii() and found.isprintable() else None
        host = None if parts is None else parts.hostname
    except ValueError:
        parts, host = None, None
    if parts is None or host is None or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise Refused(502, f"the provider's {key} is no https:// address")
    return str(found)
