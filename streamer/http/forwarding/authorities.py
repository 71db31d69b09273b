"""Whose certificates are believed of the other replicas, where they are reached over HTTPS."""

import ssl

from streamer.values.errors import ConfigError


def authorities(ca: str | None) -> ssl.SSLContext | bool:
    """The system's, and one of our own beside them. Blocks.

    Args:
        ca: a file of it in PEM; None: there is none, and True is given: the system's.

    Raises:
        ConfigError: it cannot be used.
    """
    if ca is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca)
    except ssl.SSLError:
        raise ConfigError(f"cluster.tls.ca: {ca} holds no certificate in PEM") from None
    except OSError as error:
        raise ConfigError(f"cluster.tls.ca: {ca} cannot be read: {error.strerror or error}") from None
    return context
