"""A real OpenID Connect provider: oidc-provider, of npm, certified by the OpenID Foundation."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.peers.process import Process, free_port, run_process
from tests.peers.required import REPOSITORY, requires

CLIENT_ID, CLIENT_SECRET = "sightline", "s3cret: and more"


@dataclass(frozen=True)
class OidcProvider:
    """One that runs."""

    issuer: str
    process: Process

    @property
    def settings(self) -> dict[str, Any]:
        """What `access.oidc` says of it."""
        return {
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "name": "Campus",
            "scopes": ["openid", "profile", "groups"],
        }


@contextmanager
def run_oidc_provider(
    redirect_uri: str, users: Mapping[str, Sequence[str]], port: int | None = None
) -> Iterator[OidcProvider]:
    """Run one for as long as the block lasts, as another site than 127.0.0.1 is: at localhost.

    Args:
        redirect_uri: where it sends browsers back.
        users: who signs in there, whatever his password, and his groups.
        port: it listens at; None: any.
    """
    requires("oidc-provider")
    port = port or free_port()
    issuer = f"http://localhost:{port}"
    told = {
        "port": port,
        "issuer": issuer,
        "redirectUri": redirect_uri,
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
        "users": users,
    }
    script = REPOSITORY / "tests" / "peers" / "oidc_provider.mjs"
    with run_process(["node", script, json.dumps(told)], ready="listening") as process:
        yield OidcProvider(issuer, process)
