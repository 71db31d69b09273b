"""Certificates of cameras: whom to trust, and what is wrong with one in a sentence."""

import socket
import ssl
from dataclasses import dataclass

from streamer.values.errors import SourceError


@dataclass(frozen=True)
class CertificateTrust:
    """How a camera proves who it is."""

    ca: str | None = None
    """A PEM file: the authority that signed the camera's certificate, or a self-signed certificate itself. None: the
    system's authorities."""
    name: str | None = None
    """The name that must stand in the certificate. None: the URL's host."""
    verify: bool = True
    """False: anybody may claim to be the camera."""

    def context(self) -> ssl.SSLContext:
        """For Python's own connections.

        Raises:
            SourceError: kind "tls"; `ca` is not a file of certificates.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # ssl.SSLError is one
            reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise SourceError("tls", f"tls.ca: {self.ca} cannot be used: {reason}") from None
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def wrap(self, connected: socket.socket, host: str) -> ssl.SSLSocket:
        """Speak TLS over a connection.

        Raises:
            SourceError: kind "tls"; says what is wrong with the certificate.
            OSError: the connection broke.
        """
        wrapped = self.begin(connected, host)
        try:
            shake_hands(wrapped)
        except (OSError, SourceError):
            wrapped.close()
            raise
        return wrapped

    def begin(self, connected: socket.socket, host: str) -> ssl.SSLSocket:
        """The socket that will speak TLS once hands are shaken: known before, so that another thread can end that.

        Raises:
            SourceError: kind "tls"; `ca` is not a file of certificates.
        """
        context = self.context()
        return context.wrap_socket(connected, server_hostname=self.name or host, do_handshake_on_connect=False)


def shake_hands(begun: ssl.SSLSocket) -> None:
    """Let a camera prove who it is.

    Raises:
        SourceError: kind "tls"; says what is wrong with the certificate.
        OSError: the connection broke.
    """
    try:
        begun.do_handshake()
    except ssl.SSLError as error:
        raise explain(error) from None


def explain(error: ssl.SSLError) -> SourceError:
    """What OpenSSL found, as a sentence that says what can be done."""
    if isinstance(error, ssl.SSLCertVerificationError):
        found = error.verify_message.rstrip(".")
        found = found[:1].lower() + found[1:]
        return SourceError(
            "tls",
            f"the camera's certificate is not trusted ({found}); tls.ca names the authority or the certificate itself, "
            "tls.name the name in it",
        )
    return SourceError("tls", f"the camera does not speak TLS on this port ({error.reason or 'no reason given'})")
