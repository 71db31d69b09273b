"""serving.tls reads TensorFlow Serving's SSLConfig: the port speaks TLS, or the start is refused in one line."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from serving.errors import StartError
from serving.tls import read_credentials
from streamer.inference import credentials, introduction
from streamer.inference.server import ModelServer
from tests.peers.certificates import Certificate, make_certificate
from tests.serving.peers import run_server

AUTHORITY = make_certificate("authority")
SERVER = make_certificate("localhost", AUTHORITY)
CLIENT = make_certificate("client", AUTHORITY)


def write(path: Path, **values: str | bool) -> Path:
    """An SSLConfig in a file."""
    path.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items()))
    return path


@contextmanager
def echo(config: Path) -> Iterator[int]:
    """A gRPC server that gives back what it is sent, secured by `config`; its port."""

    def give_back(request: bytes, _context: grpc.ServicerContext) -> bytes:
        return request

    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(give_back)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test", {"Echo": handler}),))
    port = server.add_secure_port("localhost:0", read_credentials(config))
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def call(port: int, client: Certificate | None = None) -> bytes:
    """One call over TLS, by a client that trusts the authority and shows `client` if there is one."""
    own = {"private_key": client.key.encode(), "certificate_chain": client.cert.encode()} if client else {}
    credentials = grpc.ssl_channel_credentials(AUTHORITY.cert.encode(), **own)
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        return send(channel)


def send(channel: grpc.Channel) -> bytes:
    """One call, and what came back."""
    method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/test/Echo")
    return method(b"hello", timeout=30)


def test_the_port_speaks_tls(tmp_path: Path) -> None:
    """A client that trusts the authority is answered, one that speaks plain gRPC is not."""
    with echo(write(tmp_path / "ssl.config", server_key=SERVER.key, server_cert=SERVER.cert)) as port:
        assert call(port) == b"hello"
        with grpc.insecure_channel(f"localhost:{port}") as plain, pytest.raises(grpc.RpcError) as refused:
            send(plain)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_clients_are_verified_when_asked(tmp_path: Path) -> None:
    """With client_verify only a client with a certificate of custom_ca is answered."""
    verified = {"server_key": SERVER.key, "server_cert": SERVER.cert, "custom_ca": AUTHORITY.cert}
    with echo(write(tmp_path / "ssl.config", client_verify=True, **verified)) as port:
        assert call(port, CLIENT) == b"hello"
        for stranger in (None, make_certificate("client")):
            with pytest.raises(grpc.RpcError) as refused:
                call(port, stranger)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    with echo(write(tmp_path / "ssl.config", client_verify=False, **verified)) as port:
        assert call(port) == b"hello"


GOOD = {"server_key": SERVER.key, "server_cert": SERVER.cert}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "server_key is missing; its value is the PEM text itself"),
        ({"server_key": SERVER.key}, "server_cert is missing; its value is the PEM text itself"),
        (GOOD | {"server_key": CLIENT.key}, "server_key is not the key of server_cert"),
        (GOOD | {"server_key": "/etc/key.pem"}, "server_key is not a private key in PEM text without a password"),
        (GOOD | {"server_key": SERVER.locked_key("x")}, "server_key is not a private key in PEM text without a"),
        (GOOD | {"server_cert": "/etc/cert.pem"}, "server_cert is not a certificate in PEM text"),
        (GOOD | {"server_cert": SERVER.key}, "server_cert is not a certificate in PEM text"),
        (GOOD | {"custom_ca": "é"}, "custom_ca is not a certificate in PEM text"),
        (GOOD | {"client_verify": True}, "client_verify needs custom_ca"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, values: dict[str, str | bool], says: str) -> None:
    """A key or certificate that gRPC would fail with, call by call, is named at start."""
    path = write(tmp_path / "ssl.config", **values)
    with pytest.raises(StartError) as error:
        read_credentials(path)
    assert str(error.value).startswith(f"--ssl_config_file {path}: {says}")
    assert "\n" not in str(error.value)


def test_a_key_is_never_told(tmp_path: Path) -> None:
    """A file that cannot be parsed is refused with the place, and nothing of what stands there."""
    path = write(tmp_path / "ssl.config", server_cert=SERVER.cert, server_key=SERVER.key)
    path.write_text(path.read_text().rstrip().removesuffix('"'))
    with pytest.raises(StartError) as error:
        read_credentials(path)
    assert str(error.value) == f"--ssl_config_file {path}:2:13 : not valid text of SSLConfig"
    assert error.value.__cause__ is None


@pytest.mark.parametrize("client_verify", [False, True])
async def test_the_service_calls_over_tls(base_path: Path, tmp_path: Path, client_verify: bool) -> None:
    """What `serving.tls` names opens a channel to a server with --ssl_config_file, verified on one side or on both."""
    files = {"ca.pem": AUTHORITY.cert, "cert.pem": CLIENT.cert, "key.pem": CLIENT.key}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    config = write(tmp_path / "ssl.config", **GOOD, custom_ca=AUTHORITY.cert, client_verify=client_verify)
    own = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    shown = credentials.read(
        ca=str(tmp_path / "ca.pem"), **(own if client_verify else {"cert": None, "key": None}), name="localhost"
    )
    with run_server(base_path, f"--ssl_config_file={config}") as running:
        server = ModelServer(running.address, shown)
        metadata = await introduction.ask(server, "tiny", None)
        await server.close()
    assert metadata.model_spec.version.value == 3
