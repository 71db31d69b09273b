"""streamer.cluster.credentials: files that say who we are, by a real NATS."""

import asyncio
import os
from base64 import b32decode, b64decode
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.cluster.bucket import NatsAway, opened
from streamer.cluster.credentials import LARGEST, credentials_in
from streamer.cluster.servers import Servers
from streamer.clustering import Clustering
from streamer.config import ClusterSettings
from streamer.values.clock import monotonic
from streamer.values.errors import ConfigError
from tests.peers.nats_keys import ACCOUNT, OPERATOR, USER, NatsKey, creds, make_key, operated
from tests.peers.nats_server import run_nats_server
from tests.peers.until import until

KEY = NatsKey(USER, bytes(range(32)))
JWT = make_key(ACCOUNT).jwt("user", KEY)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is slow is waited for."""
    monkeypatch.setattr("streamer.cluster.bucket.ANSWER", 60.0)
    monkeypatch.setattr("streamer.cluster.bucket.PATIENCE", 60.0)


def written(folder: Path, text: str | bytes) -> str:
    """A file's path."""
    path = folder / "nats.creds"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


async def let_in(url: str, path: str) -> bool:
    """Whether a bucket can be opened with what a file says."""
    async with opened(Servers((url,), credentials=path), url, "test") as bucket:
        return bool(bucket.born)


async def becomes_a_member(settings: ClusterSettings) -> None:
    """Wait until a replica of these settings takes part."""
    made = Clustering(settings, clock=monotonic)
    running = asyncio.ensure_future(made.tasks()["cluster"]())
    try:
        await until(lambda: made.standing == "member")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_nkey_is_let_in_and_another_is_not(tmp_path: Path) -> None:
    """By its seed alone; the refusal says nothing of it."""
    other = make_key(USER)
    with run_nats_server(f"authorization {{ users: [ {{ nkey: {KEY.public} }} ] }}") as server:
        assert await let_in(server.url, written(tmp_path, f"{KEY.seed}\n"))
        with pytest.raises(NatsAway, match=r"NATS does not let us in: .* credentials are not right") as refused:
            await let_in(server.url, written(tmp_path, other.seed))
        assert other.seed not in str(refused.value)
        with pytest.raises(NatsAway, match=r"nats\.creds cannot be used as credentials for NATS: it is empty"):
            await let_in(server.url, written(tmp_path, ""))
        path = written(tmp_path, KEY.seed)
        assert await let_in(server.url, path), "it is read at each connection"
        await becomes_a_member(ClusterSettings(nats=[server.url], url="http://h:1", key="k" * 40, credentials=path))


async def test_a_user_of_an_operator_s_account_is_let_in(tmp_path: Path) -> None:
    """By his JWT and his seed; with another's seed he is not."""
    lines, file = operated()
    with run_nats_server(*lines) as server:
        assert await let_in(server.url, written(tmp_path, file))
        jwt = file.splitlines()[1]
        with pytest.raises(NatsAway, match="NATS does not let us in") as refused:
            await let_in(server.url, written(tmp_path, creds(jwt, KEY)))
        assert KEY.seed not in str(refused.value)
        assert jwt not in str(refused.value)


@pytest.mark.parametrize("text", [creds(JWT, KEY), creds(JWT, KEY).replace("\n", "\r\n"), f"  {KEY.seed}\r\n"])
def test_what_is_read_is_shown_nowhere(tmp_path: Path, text: str) -> None:
    """Neither the seed nor the JWT, in whatever lines the file has."""
    path = written(tmp_path, text)
    found = credentials_in(path)
    assert (found.public, found.jwt) == (KEY.public, JWT if "JWT" in text else None)
    shown = f"{found!r} {found} {Servers((), credentials=path)!r}"
    assert KEY.seed not in shown
    assert JWT not in shown


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("no seed", "it holds no seed of an nkey"),
        (KEY.seed[:-1], "it holds no seed of an nkey"),
        (KEY.seed.lower(), "it holds no seed of an nkey"),
        (f"{KEY.seed[:9]}{'A' if KEY.seed[9] != 'A' else 'B'}{KEY.seed[10:]}", "it holds no seed of an nkey"),
        (KEY.public, "it holds no seed of an nkey"),
        (make_key(ACCOUNT).seed, "it holds a seed that is not a user's"),
        (make_key(OPERATOR).seed, "it holds a seed that is not a user's"),
        (creds(JWT, KEY).partition("\n\n")[0], "it has no seed between its lines"),
        (creds(JWT, KEY).partition("\n\n")[2], "it has no user's JWT between its lines"),
        (creds("nonsense", KEY), "it has no user's JWT between its lines"),
        (creds(JWT, make_key(ACCOUNT)), "it holds a seed that is not a user's"),
        ("-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----", "it has no user's JWT between its lines"),
        (b"\xff\x00" * 40, "it holds no seed of an nkey"),
        ("S" * (LARGEST + 1), "it is larger than"),
    ],
    ids=map(str, range(16)),  # keys differ from one process to the next, and names of tests must not
)
def test_what_is_none_is_refused_in_a_sentence(tmp_path: Path, text: str | bytes, why: str) -> None:
    """It names the file, and nothing of what is in it."""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        credentials_in(path)
    sentence = str(raised.value)
    assert sentence.startswith(f"{path} cannot be used as credentials for NATS: {why}")
    assert "\n" not in sentence
    assert KEY.seed[:20] not in sentence
    assert raised.value.__cause__ is None


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """One that is not there, a folder, a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory"), (tmp_path / "pipe", "empty")):
        with pytest.raises(ConfigError, match=f"^{path} cannot be used as credentials for NATS: .*{why}"):
            credentials_in(str(path))


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.text(st.characters(codec="utf-8"), max_size=100))
def test_every_users_seed_signs_as_its_public_key_says(raw: bytes, nonce: str) -> None:
    """Whatever the key and whatever the server sends."""
    key = NatsKey(USER, raw)
    with TemporaryDirectory() as folder:
        found = credentials_in(written(Path(folder), key.seed))
    assert found.public == key.public
    public = Ed25519PublicKey.from_public_bytes(b32decode(found.public)[1:33])
    public.verify(b64decode(found.sign(nonce)), nonce.encode())
