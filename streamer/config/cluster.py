"""The section `cluster`: replicas that share the streams, agreed on through NATS. docs/design/cluster.md."""

import re
import socket
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from streamer.config.archive import ArchiveSettings
from streamer.config.section import Name, Section
from streamer.values.errors import ConfigError
from streamer.values.name import NAME

ALLOWED = "allowed is one such as nats://user:password@10.0.0.5:4222, or tls://"
MOST_SERVERS = 16


def _checked_server(value: str) -> str:
    where = re.fullmatch(r"(nats|tls)://([^\s/?#@]+@)?(?P<place>[^\s/?#@]+)/?", value)
    try:
        parts = urlsplit(value)
        is_place = where is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_place = False
    if not is_place or len(value) > 2000:
        raise ValueError(
            f"it is no NATS server; {ALLOWED}; in a password / ? # @ : are percent-encoded"
        )  # it may be one
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _checked_url(value: str) -> str:
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:\d{1,5})?(/[A-Za-z0-9._~-]+)*/?", value):
        raise ValueError(f"{value!r} is no address of a replica; allowed is one such as http://10.0.0.7:8000")
    return value.rstrip("/")


Server = Annotated[str, AfterValidator(_checked_server)]
Label = Annotated[str, Field(min_length=1, max_length=100)]
Labels = Annotated[dict[Label, Label], Field(max_length=20)]
"""What a replica has, and a stream would like to be near, such as site: north."""
OnPartition = Literal["keep", "release"]
"""What becomes of a stream while NATS is away: it is run on, or let go of, as its camera bears one client only."""


class ClusterTlsSettings(Section):
    """How NATS proves who it is, and how we do."""

    ca: Annotated[str, Field(min_length=1)] | None = None
    """The authority that signed its certificate, or that itself. None: those the system knows."""
    cert: Annotated[str, Field(min_length=1)] | None = None
    """Our own. None: we show none."""
    key: Annotated[str, Field(min_length=1)] | None = None
    """Its key, without a password. None: it stands in `cert`."""

    @model_validator(mode="after")
    def _checked_key(self) -> "ClusterTlsSettings":
        if self.key is not None and self.cert is None:
            raise ValueError("key needs cert, the certificate that it belongs to")
        return self


class ClusterSettings(Section):
    """One replica, and where it finds the others."""

    nats: Annotated[list[Server], BeforeValidator(_listed), Field(repr=False)]
    """A server, or several of one NATS."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "sightline"
    """The cluster's: one NATS may hold several."""
    replica: Name | None = None
    """Ours, the same after a restart. None: the machine's."""
    url: Annotated[str, AfterValidator(_checked_url)]
    """Where the other replicas reach this one; without a slash at its end."""
    key: Annotated[str, Field(min_length=32, max_length=1000, repr=False)]
    """What replicas sign with what they pass on to each other: the same at all."""
    capacity: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Streams that it may well carry, beside the others': twice as many are twice the share."""
    labels: Labels = Field(default_factory=dict)
    """Of where it is, such as site: north."""
    copies: Literal[1, 3, 5] = 1
    """NATS servers that hold what the replicas share, where it has to be made."""
    tls: ClusterTlsSettings | None = None
    """None: the system's authorities, where a server wants TLS."""
    credentials: Annotated[str, Field(min_length=1)] | None = None
    """A file that says who we are: a user's JWT and seed (.creds), or an nkey's seed. None: the addresses do."""

    @model_validator(mode="after")
    def _checked_servers(self) -> "ClusterSettings":
        if not 1 <= len(self.nats) <= MOST_SERVERS:
            raise ValueError(f"nats: {len(self.nats)} servers are named; allowed are 1 to {MOST_SERVERS}")
        if len(set(self._tokens)) > 1:
            raise ValueError("nats: several tokens are named; allowed is one, the same at all servers")
        if self.credentials is not None and any(urlsplit(each).username is not None for each in self.nats):
            raise ValueError(
                "credentials say who we are at NATS; allowed beside them are addresses without user or token"
            )
        return self

    @property
    def member(self) -> str:
        """Our name among the replicas."""
        return self.replica or _name_of(socket.gethostname())

    @property
    def servers(self) -> tuple[str, ...]:
        """Where NATS is, without a token."""
        return tuple(_without_token(each) for each in self.nats)

    @property
    def token(self) -> str | None:
        """What stands in the place of a user and a password."""
        return next(iter(self._tokens), None)

    @property
    def _tokens(self) -> list[str]:
        users = (urlsplit(each) for each in self.nats)
        return [unquote(each.username) for each in users if each.username is not None and each.password is None]


def require_shared_archive(cluster: ClusterSettings | None, archive: ArchiveSettings | None) -> None:
    """Refuse an archive that each replica would have for itself.

    Raises:
        ConfigError: it is in SQLite.
    """
    if cluster is not None and archive is not None and archive.database is None:
        raise ConfigError(
            "archive.database: is missing; the replicas of a cluster share an archive in PostgreSQL, "
            "postgresql://user:password@host/name"
        )


def _without_token(url: str) -> str:
    parts = urlsplit(url)
    is_token = parts.username is not None and parts.password is None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if is_token else url


def _name_of(host: str) -> str:
    """A machine's name as a replica's: what cannot stand in one becomes a hyphen."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", host).lstrip("._-")[:64]
    return name if re.fullmatch(NAME, name) else "replica"
