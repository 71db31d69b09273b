"""The certificate that HTTPS is served with: read at the start, and again when one of its two files is another.

Each reading makes a context of its own, which the next connections get. OpenSSL would take new files into the one in
use as well, but keeps half of what it refuses: after a certificate without its key nobody is let in any more.
"""

import asyncio
import logging
import ssl
from pathlib import Path

from cryptography import x509

from streamer.values.errands import Errands
from streamer.values.errors import ConfigError

log = logging.getLogger(__name__)

LOOK = 2.0
"""Seconds from one look at the files to the next."""

Mark = tuple[tuple[int, int, int] | None, ...]
"""By which a file is told from the one before: its number, its size and when it was written; None: it is not there."""


class ServedCertificate:
    """One server's."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Read it. Blocks.

        Args:
            cert: the certificate and those it is signed by, in PEM.
            key: its private key, in PEM, without a password.

        Raises:
            ConfigError: they cannot be used.
        """
        self._cert, self._key = cert, key
        self._errands = Errands(1, "certificate")
        self._mark = self._marked()
        self.is_newest = True
        """Whether what the files say is what is served."""
        self.context, self.expires_at = self._read()
        """What connections begin with from now on, and when the first certificate in it ends: seconds since 1970."""

    async def watch(self) -> None:
        """Serve what the files say from soon after they change on; until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Read the files again if they are others; what cannot be used changes nothing, and is said once."""
        mark = await self._errands.run(self._marked)
        if mark == self._mark:
            return
        self._mark = mark  # of before they are read: what is written meanwhile makes another
        try:
            self.context, self.expires_at = await self._errands.run(self._read)
        except ConfigError as error:
            self.is_newest = False
            log.error("the certificate of before stays: %s", error)
        else:
            self.is_newest = True
            log.info("%s is served from now on", self._cert)

    def _marked(self) -> Mark:
        return _mark(self._cert), _mark(self._key)

    def _read(self) -> tuple[ssl.SSLContext, float]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # Without a password, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self._cert, self._key, password=lambda: "")
            chain = x509.load_pem_x509_certificates(self._cert.read_bytes())
        except FileNotFoundError:
            raise ConfigError(f"server.tls: {self._cert} or {self._key} is not there") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
            raise ConfigError(
                f"server.tls: {self._cert} and {self._key} cannot be used ({reason}); they must be a certificate and"
                " its key in PEM, the key without a password"
            ) from None
        return context, min(each.not_valid_after_utc.timestamp() for each in chain)


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
