"""Where a broker is, and how we show each other who we are."""

import ssl
from dataclasses import dataclass, field

from streamer.values.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Tls:
    """Over mqtts. Files are PEM, read at each connection: a renewed certificate is shown from the next one on."""

    ca: str | None = None
    """The authority that signed the broker's certificate, or that itself; None: those the system knows."""
    cert: str | None = None
    """Our own, with those it is signed by; None: we show none."""
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
            raise ConfigError(f"mqtt.tls.ca: {self.ca} cannot be used: {_why(error)}") from None
        context.sslsocket_class = _Socket
        if self.cert is not None:
            try:
                context.load_cert_chain(self.cert, self.key, password=_no_password)
            except (OSError, ValueError) as error:
                files = self.cert if self.key is None else f"{self.cert} with {self.key}"
                raise ConfigError(f"mqtt.tls.cert: {files} cannot be used: {_why(error)}") from None
        return context


@dataclass(frozen=True, slots=True)
class Broker:
    """One."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    """None: it is spoken to in the clear."""

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class _Socket(ssl.SSLSocket):
    """Closed where there is no agreement: paho leaves it to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        """Come to an agreement."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _no_password() -> str:
    """OpenSSL would ask for one on the terminal.

    Raises:
        ValueError: always.
    """
    raise ValueError("the key has a password; allowed is one without")


def _why(error: OSError | ValueError) -> str:
    """The reason without the library's own numbers and lines."""
    if isinstance(error, ssl.SSLError):
        return {"KEY_VALUES_MISMATCH": "they do not belong together"}.get(error.reason or "", "it is no PEM that fits")
    return (isinstance(error, OSError) and error.strerror) or str(error)
