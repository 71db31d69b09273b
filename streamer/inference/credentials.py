"""How the channel is secured: what the model server must show, and what it is shown.

gRPC takes PEM text as it is, and says what is wrong with it to each call alone; so it is looked at here, once.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from streamer.values.errors import ConfigError


@dataclass(frozen=True)
class Credentials:
    """Of one channel."""

    channel: grpc.ChannelCredentials
    name: str | None = None
    """What must stand in the server's certificate; None: the host of its address."""


def read(*, ca: str | None, cert: str | None, key: str | None, name: str | None) -> Credentials:
    """Read what `serving.tls` names.

    Args:
        ca: path of the authority that signed the server's certificate, or of that itself; None: those gRPC brings.
        cert: path of our own certificate, with those it is signed by, for a server that asks; None: it does not.
        key: path of its key, without a password.
        name: as `Credentials.name`.

    Raises:
        ConfigError: a file is missing, or is not what it should be.
    """
    roots = None if ca is None else _read("ca", ca)
    chain = None if cert is None else _read("cert", cert)
    private = None if key is None else _read("key", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if roots is not None:
        _require(lambda: context.load_verify_locations(ca), f"serving.tls.ca: {ca} holds no certificate in PEM")
    if cert is not None and key is not None:
        _require(
            # Without a password, OpenSSL would ask for one on the terminal.
            lambda: context.load_cert_chain(cert, key, password=lambda: ""),
            f"serving.tls: {cert} and {key} must be a certificate and its key in PEM, the key without a password",
        )
    return Credentials(grpc.ssl_channel_credentials(roots, private, chain), name)


def _read(key: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL
        raise ConfigError(f"serving.tls.{key}: {path} cannot be read: {getattr(error, 'strerror', error)}") from None


def _require(load: Callable[[], None], otherwise: str) -> None:
    try:
        load()
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise ConfigError(otherwise) from None
