"""How the gRPC port is secured: the file TensorFlow Serving reads with --ssl_config_file.

The message is tensorflow.serving.SSLConfig (config/ssl_config.proto in tensorflow/serving); its values are PEM text,
not paths. The REST port stays plain, as TensorFlow Serving's does.
"""

import ssl
from pathlib import Path
from tempfile import NamedTemporaryFile

import grpc

from serving import text_proto
from serving.errors import StartError

_FLAG = "--ssl_config_file"
_SSLConfig = text_proto.message_class(
    "tensorflow.serving.SSLConfig",
    {"server_key": "string", "server_cert": "string", "custom_ca": "string", "client_verify": "bool"},
)


def read_credentials(path: Path) -> grpc.ServerCredentials:
    """The credentials for grpc.Server.add_secure_port.

    Raises:
        StartError: the file cannot be read, or its key and certificates cannot be used. gRPC itself would say so only
            to each caller, by closing the connection.
    """
    config = text_proto.read(path, _SSLConfig, _FLAG, secret=True)
    if wrong := _wrong(config.server_key, config.server_cert, config.custom_ca, config.client_verify):
        raise StartError(f"{_FLAG} {path}: {wrong}")
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )


def _wrong(key: str, certificate: str, authority: str, client_verify: bool) -> str | None:
    if not key or not certificate:
        return f"{'server_cert' if key else 'server_key'} is missing; its value is the PEM text itself"
    if client_verify and not authority:
        return "client_verify needs custom_ca, whose certificates the clients' are checked with"
    for name, text in (("server_cert", certificate), ("custom_ca", authority)):
        if text and not _is_certificate(text):
            return f"{name} is not a certificate in PEM text"
    return _wrong_key(key, certificate)


def _is_certificate(text: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=text)
    except (ssl.SSLError, TypeError):  # TypeError: not ASCII
        return False
    return True


def _wrong_key(key: str, certificate: str) -> str | None:
    # The ssl module reads a private key from a file alone; this one is for our eyes, and gone at once.
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".pem") as file:
        file.write(f"{certificate}\n{key}\n")
        file.flush()
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file.name, password="")  # else it asks a terminal
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                return "server_key is not the key of server_cert"
            return "server_key is not a private key in PEM text without a password"
    return None
