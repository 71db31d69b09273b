"""Where NATS is, and how we show each other who we are."""

import ssl
from dataclasses import dataclass, field, replace

from streamer.values.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Tls:
    """Files are PEM, read at each connection: a renewed certificate is shown from the next one on."""

    ca: str | None = None
    """The authority that signed the servers' certificates; None: those the system knows."""
    cert: str | None = None
    """Our own, with its key; None: we show none."""
    key: str | None = None
    """Its key, without a password; None: it stands in `cert`."""

    def context(self) -> ssl.SSLContext:
        """Read the files. Blocks.

        Raises:
            ConfigError: one cannot be used; says which.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.ca} cannot be used as NATS's authority: {_why(error)}") from None
        if self.cert is not None:
            try:
                context.load_cert_chain(self.cert, self.key, password=lambda: "")
            except (OSError, ValueError) as error:
                raise ConfigError(f"{self.cert} cannot be used as our certificate for NATS: {_why(error)}") from None
        return context


@dataclass(frozen=True, slots=True)
class Servers:
    """One or several of one NATS."""

    urls: tuple[str, ...] = field(repr=False)
    """Such as nats://user:password@host:4222; tls:// in place of nats:// wants TLS. Tried in turn."""
    token: str | None = field(default=None, repr=False)
    """In place of a user and a password."""
    credentials: str | None = None
    """A file, in place of both, read at each connection: credentials.py. None: there is none."""
    tls: Tls | None = None
    """None: the system's authorities, where a server wants TLS."""

    def from_the_second(self) -> "Servers":
        """The same, the first of them last."""
        return replace(self, urls=(*self.urls[1:], *self.urls[:1]))


def place(url: str) -> str:
    """A server's host and port, for people: without a password."""
    return url.rpartition("@")[2].rpartition("://")[2].partition("/")[0]  # also of what is no URL


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return "it holds no such thing in PEM"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
