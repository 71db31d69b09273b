"""Keys and certificates in PEM text, valid for a day: an authority, and those it signs."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key."""

    name: x509.Name
    private: ec.EllipticCurvePrivateKey
    cert: str
    """PEM text."""

    @property
    def key(self) -> str:
        """The private key in PEM text."""
        return self._pem(NoEncryption())

    def locked_key(self, password: str) -> str:
        """The private key in PEM text, behind a password."""
        return self._pem(BestAvailableEncryption(password.encode()))

    def _pem(self, encryption: KeySerializationEncryption) -> str:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def make_certificate(name: str, authority: Certificate | None = None) -> Certificate:
    """Make a certificate for the host `name`, signed by `authority`; without one it is an authority itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.name if authority else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .sign(authority.private if authority else private, hashes.SHA256())
    )
    return Certificate(subject, private, made.public_bytes(Encoding.PEM).decode())


def server_files(certificate: Certificate, folder: Path) -> tuple[Path, Path]:
    """A server's files, written into a folder: its certificate and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_text(certificate.cert)
    key.write_text(certificate.key)
    return cert, key


def server_context(certificate: Certificate, folder: Path) -> ssl.SSLContext:
    """A server's side of TLS; its files are written into a folder."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*server_files(certificate, folder))
    return made
