"""streamer.inference.credentials: the channel to the model server speaks TLS, or it is said why not."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from serving.signature import Contract
from streamer.inference import credentials
from streamer.inference.predictor import Predictor
from streamer.values.clock import monotonic
from streamer.values.errors import ConfigError
from tests.peers.certificates import Certificate, make_certificate
from tests.peers.fake_model_server import run_fake_model_server

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator"})
AUTHORITY = make_certificate("authority")
SERVER = make_certificate("serving.test", AUTHORITY)
ALONE = make_certificate("serving.test")
OURS = make_certificate("sightline", AUTHORITY)
STRANGER = make_certificate("sightline")


def server_of(certificate: Certificate, *, clients_of: Certificate | None = None) -> grpc.ServerCredentials:
    """A server's side; with `clients_of` it lets in nobody but whom that authority has signed."""
    return grpc.ssl_server_credentials(
        [(certificate.key.encode(), certificate.cert.encode())],
        root_certificates=clients_of.cert.encode() if clients_of else None,
        require_client_auth=clients_of is not None,
    )


def read(
    folder: Path, *, ca: Certificate | None = None, own: Certificate | None = None, name: str | None = None
) -> credentials.Credentials:
    """What the service would read, of files that are written into a folder."""
    files: dict[str, str | None] = {"ca": ca.cert if ca else None, "cert": None, "key": None}
    if own:
        files |= {"cert": own.cert, "key": own.key}
    for file, text in files.items():
        if text is not None:
            (folder / file).write_text(text)
    ca_path, cert, key = (None if text is None else str(folder / file) for file, text in files.items())
    return credentials.read(ca=ca_path, cert=cert, key=key, name=name)


@asynccontextmanager
async def asking(
    server: grpc.ServerCredentials | None, own: credentials.Credentials | None
) -> AsyncIterator[Predictor]:
    """A predictor that has looked once for its model, over those two sides of a channel."""
    async with run_fake_model_server(CONTRACT, credentials=server) as fake:
        predictor = Predictor(fake.address, "insulators", clock=monotonic, credentials=own)
        await predictor._watch()
        try:
            yield predictor
        finally:
            await predictor.close()


@pytest.mark.parametrize(("certificate", "ca"), [(SERVER, AUTHORITY), (ALONE, ALONE)], ids=["signed", "self-signed"])
async def test_a_server_that_proves_who_it_is_is_asked(
    tmp_path: Path, certificate: Certificate, ca: Certificate
) -> None:
    """A server whose certificate is signed by the authority that is named, or is itself, answers over TLS."""
    async with asking(server_of(certificate), read(tmp_path, ca=ca, name="serving.test")) as predictor:
        assert (predictor.up, predictor.reason) == (True, None)


async def test_we_prove_who_we_are_where_that_is_asked(tmp_path: Path) -> None:
    """A server that wants a certificate gets ours, and answers."""
    server = server_of(SERVER, clients_of=AUTHORITY)
    async with asking(server, read(tmp_path, ca=AUTHORITY, own=OURS, name="serving.test")) as predictor:
        assert (predictor.up, predictor.reason) == (True, None)


NOBODY = "its certificate is signed by nobody in serving.tls.ca, or is not valid now"
ANOTHER = "its certificate is for another name; serving.tls.name says which"
CLOSES = "it closes connections; it may want TLS, or another certificate: serving.tls"
NO_TLS = "it does not speak TLS, and serving.tls is set"


@pytest.mark.parametrize(
    ("server", "ca", "own", "name", "why"),
    [
        (server_of(SERVER), ALONE, None, "serving.test", NOBODY),
        (server_of(SERVER), None, None, "serving.test", NOBODY),
        (server_of(SERVER), AUTHORITY, None, "other.test", ANOTHER),
        (server_of(SERVER), AUTHORITY, None, None, ANOTHER),
        (server_of(SERVER, clients_of=AUTHORITY), AUTHORITY, None, "serving.test", CLOSES),
        (server_of(SERVER, clients_of=AUTHORITY), AUTHORITY, STRANGER, "serving.test", CLOSES),
        (None, AUTHORITY, None, "serving.test", NO_TLS),
    ],
    ids=["another authority", "none that is known", "another name", "the address", "no client", "a stranger", "plain"],
)
async def test_who_does_not_fit_is_not_asked(
    tmp_path: Path,
    server: grpc.ServerCredentials | None,
    ca: Certificate | None,
    own: Certificate | None,
    name: str | None,
    why: str,
) -> None:
    """Where one side does not accept the other no frame is sent, and the reason says what is wrong."""
    async with asking(server, read(tmp_path, ca=ca, own=own, name=name)) as predictor:
        assert not predictor.up
        assert predictor.reason == f"the model server at {predictor.address} cannot be reached: {why}"


FIVE_LOOKS = """
import asyncio, sys
from streamer.inference import credentials
from streamer.inference.predictor import Predictor
from streamer.values.clock import monotonic

async def look():
    shown = credentials.read(ca=None, cert=None, key=None, name="serving.test")
    predictor = Predictor(sys.argv[1], "insulators", clock=monotonic, credentials=shown)
    for _ in range(5):
        await predictor._watch()
    print(predictor.reason)
    await predictor.close()

asyncio.run(look())
"""


async def test_what_fails_is_not_written_by_grpc_as_well() -> None:
    """However often no channel comes about, gRPC's own lines about it stay out of the process's stderr."""
    environment = {key: value for key, value in os.environ.items() if key != "GRPC_VERBOSITY"}
    async with run_fake_model_server(CONTRACT) as plain:
        looking = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", FIVE_LOOKS, plain.address),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        said, wrote = await looking.communicate()
    assert NO_TLS in said.decode()
    assert not [line for line in wrote.decode().splitlines() if "ssl_transport" in line]


async def test_tls_that_is_not_spoken_here_is_guessed() -> None:
    """A server that speaks TLS to a service that does not is told as what it may be."""
    async with asking(server_of(SERVER), None) as predictor:
        assert predictor.reason == f"the model server at {predictor.address} cannot be reached: {CLOSES}"


def test_files_that_cannot_be_used_are_one_sentence(tmp_path: Path) -> None:
    """A file that is missing, no certificate, not the key of the certificate or locked is named, in one line."""
    ca, cert, key, locked, other = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem", "locked", "other"))
    for path, text in (
        (ca, AUTHORITY.cert), (cert, OURS.cert), (key, OURS.key), (locked, OURS.locked_key("x")), (other, STRANGER.key)
    ):  # fmt: skip
        path.write_text(text)
    pair = "must be a certificate and its key in PEM, the key without a password"
    for paths, says in (
        (
            (tmp_path / "none", cert, key),
            f"serving.tls.ca: {tmp_path / 'none'} cannot be read: No such file or directory",
        ),
        ((tmp_path, cert, key), f"serving.tls.ca: {tmp_path} cannot be read: Is a directory"),
        ((key, cert, key), f"serving.tls.ca: {key} holds no certificate in PEM"),
        ((ca, tmp_path / "none", key), f"serving.tls.cert: {tmp_path / 'none'} cannot be read: No such file"),
        ((ca, cert, "\0"), "serving.tls.key: \0 cannot be read: embedded null byte"),
        ((ca, key, cert), f"serving.tls: {key} and {cert} {pair}"),
        ((ca, cert, other), f"serving.tls: {cert} and {other} {pair}"),
        ((ca, cert, locked), f"serving.tls: {cert} and {locked} {pair}"),
    ):
        with pytest.raises(ConfigError) as refused:
            credentials.read(**dict(zip(("ca", "cert", "key"), map(str, paths), strict=True)), name=None)
        assert str(refused.value).startswith(says)
        assert "\n" not in str(refused.value)
