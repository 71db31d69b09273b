"""streamer.access.store: users, tokens and sessions outlive the service, and nobody who changes them loses any."""

import asyncio
import fcntl
import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.accounts import Accounts, Session, Token, User
from streamer.access.action import ACTIONS, Action, Role
from streamer.access.document import MAX_BYTES, understood, written
from streamer.access.principal import Grant
from streamer.access.store import Edit, Store
from streamer.values.errors import ConfigError, Refused
from tests.peers.until import until

ANNA, BEN = User("anna", Role.ADMIN, password="$argon2id$…"), User("ben", Role.VIEWER, ("line-*",))
SESSION_FOR_EVER = '{"digest": "d", "id": "1", "user": "anna", "begun_at": 0, "expires_at": 1e999}'
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.floats(0, 1e10)
GRANTS = st.builds(Grant, st.frozensets(st.sampled_from(Action)), st.tuples(TEXT))
USERS = st.builds(User, TEXT, st.sampled_from(Role), st.tuples(TEXT), st.none() | TEXT, TIMES)
TOKENS = st.builds(
    Token, TEXT, TEXT, TEXT, st.frozensets(st.sampled_from(Action)), st.tuples(TEXT, TEXT), st.none() | TIMES, TIMES
)
SESSIONS = st.builds(Session, TEXT, TEXT, TEXT, TIMES, TIMES, TEXT, TEXT, st.none() | st.tuples(GRANTS))


def with_user(user: User) -> Edit:
    """The edit that adds a user."""
    return lambda accounts: accounts.with_user(user)


def names_in(folder: Path) -> list[str]:
    """The names of the files there."""
    return sorted(path.name for path in folder.iterdir())


@given(st.lists(USERS), st.lists(TOKENS), st.lists(SESSIONS), st.sampled_from(["", "0a" * 32]))
def test_whatever_is_written_is_read(
    users: list[User], tokens: list[Token], sessions: list[Session], link_key: str
) -> None:
    """Every document gives itself back."""
    accounts = Accounts(link_key=link_key)
    for user in users:
        accounts = accounts.with_user(user)
    for token in tokens:
        accounts = accounts.with_token(token)
    for session in sessions:
        accounts = accounts.with_session(session)
    assert understood(written(accounts)) == accounts


def test_what_is_changed_is_there_at_the_next_start(tmp_path: Path) -> None:
    """A file that is not there is nobody; what was changed is read again, and only its owner may read it."""
    store = Store(tmp_path / "a.access.json")
    store.read()
    assert store.accounts == Accounts()
    assert names_in(tmp_path) == []
    store.change_now(with_user(ANNA))
    again = Store(tmp_path / "a.access.json")
    again.read()
    assert again.accounts.users == {"anna": ANNA}
    assert stat.S_IMODE((tmp_path / "a.access.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it is no mapping"),
        ("{}", "version: Field required"),
        ('{"version": 2, "people": []}', "it is of version 2, and 1 is understood here"),
        ('{"version": 1, "people": []}', "people: Unexpected keyword argument"),
        ('{"version": 1, "users": [{"name": "anna", "role": "king"}]}', "users.0.role: Input should be 'viewer'"),
        ('{"version": 1, "users": [{"name": 7, "role": "admin"}]}', "users.0.name: Input should be a valid string"),
        ('{"version": 1, "users": {"anna": {}}}', "users: Input should be a valid"),
        (
            '{"version": 1, "users": [{"name": "anna", "role": "admin", "created_at": NaN}]}',
            "users.0.created_at: Input",
        ),
        (
            f'{{"version": 1, "sessions": [{SESSION_FOR_EVER}]}}',
            "sessions.0.expires_at: Input should be a finite number",
        ),
        ('{"version": 1, "link_key": "key"}', "link_key: String should match pattern"),
        (" " * (MAX_BYTES + 1), "it is larger than 16 MiB"),
    ],
)
def test_a_file_that_is_not_understood_opens_no_door(tmp_path: Path, text: str, says: str) -> None:
    """Nothing starts, in one sentence that says why; the file stays as it is, and no command writes over it."""
    path = tmp_path / "a.access.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"a.access.json: {says.replace('[', '.')}") as refused:
        Store(path).read()
    assert "\n" not in str(refused.value)
    with pytest.raises(ConfigError, match="nothing was changed"):
        Store(path).change_now(with_user(ANNA))
    assert path.read_text() == text


def test_a_file_that_others_may_read_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its hashes are nobody else's business: the rights are taken back, and that is said."""
    path = tmp_path / "a.access.json"
    path.write_bytes(written(Accounts()))
    path.chmod(0o644)
    Store(path).read()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "could be read by others, and cannot any more" in caplog.text


async def test_a_full_disk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A change that cannot be kept is refused with 503, is not in force, and leaves the old file and nothing else."""
    store = Store(tmp_path / "a.access.json")
    await store.change(with_user(ANNA))
    files = names_in(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="No space left on device; nothing was changed") as no:
        await store.change(with_user(BEN))
    assert no.value.status == 503
    assert "No space left on device" in caplog.text
    assert store.accounts.users == {"anna": ANNA}
    assert names_in(tmp_path) == files
    assert understood(store.path.read_bytes() if store.path else b"").users == {"anna": ANNA}


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not on the disk in time is refused, and does not come later."""
    store, answers = Store(tmp_path / "a.access.json", patience=0.01), threading.Event()
    store.change_now(with_user(ANNA))
    with monkeypatch.context() as hanging:
        hanging.setattr(os, "fsync", lambda _: answers.wait())
        with pytest.raises(Refused, match="its disk did not answer"):
            await store.change(with_user(BEN))
        answers.set()
        await until(lambda: not any(thread.name == "accounts" for thread in threading.enumerate()))
    store.read()
    assert store.accounts.users == {"anna": ANNA}


async def test_an_edit_that_refuses_changes_nothing(tmp_path: Path) -> None:
    """Whatever an edit raises is its caller's, who asked for what cannot be."""
    store = Store(tmp_path / "a.access.json")

    def refuse(_: Accounts) -> Accounts:
        raise Refused(409, "there is such a user already")

    with pytest.raises(Refused, match="such a user already"):
        await store.change(refuse)
    assert store.accounts == Accounts()
    await store.change(with_user(ANNA))
    assert "anna" in store.accounts.users


async def test_who_holds_the_lock_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    """While another process changes the file, a change waits; where it never lets go, the change is refused."""
    store = Store(tmp_path / "a.access.json", patience=0.2)
    await store.change(with_user(ANNA))
    with (tmp_path / ".a.access.json.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="another process holds its lock; nothing was changed"):
            await store.change(with_user(BEN))
        patient = Store(tmp_path / "a.access.json")
        changing = asyncio.create_task(patient.change(with_user(BEN)))
        await until(lambda: any(thread.name == "accounts" for thread in threading.enumerate()))
        assert not changing.done()
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert set((await changing).users) == {"anna", "ben"}


async def test_what_another_process_writes_is_in_force(tmp_path: Path) -> None:
    """Both see each other's changes and neither loses any; whoever listens is told, once a change."""
    path = tmp_path / "a.access.json"
    ours, told = Store(path), list[int]()
    ours.on_change.append(lambda: told.append(len(ours.accounts.users)))
    watching = asyncio.create_task(ours.watch())
    Store(path).change_now(with_user(ANNA))
    await until(lambda: told == [1])
    await ours.change(with_user(BEN))
    assert told == [1, 2]
    theirs = Store(path)
    theirs.change_now(lambda accounts: accounts.without_user("anna"))
    await until(lambda: told == [1, 2, 1])
    assert ours.accounts.users == {"ben": BEN} == theirs.accounts.users
    watching.cancel()


async def test_several_services_share_a_file(tmp_path: Path) -> None:
    """Of three services that change one file all at once nobody's change is lost, and each comes to know of all."""
    stores = [Store(tmp_path / "a.access.json", patience=60.0) for _ in range(3)]
    watching = [asyncio.create_task(store.watch()) for store in stores]
    names = {f"user-{number}-{at}" for at in range(len(stores)) for number in range(10)}
    await asyncio.gather(
        *(stores[int(name[-1])].change(with_user(User(name, Role.VIEWER, ("*",)))) for name in sorted(names))
    )
    await until(lambda: all(store.accounts.users.keys() == names for store in stores))
    for task in watching:
        task.cancel()


async def test_a_file_that_breaks_while_we_run_locks_nobody_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What was understood last stays in force, which is said once; a file that is mended is taken over again."""
    path = tmp_path / "a.access.json"
    store = Store(path)
    await store.change(with_user(ANNA))
    good = path.read_bytes()
    watching = asyncio.create_task(store.watch())
    path.write_text("{")
    await until(lambda: store.error is not None)
    assert store.error == "a.access.json: it is not JSON; what it said before stays in force"
    assert store.accounts.users == {"anna": ANNA}
    with pytest.raises(Refused, match="it is not JSON; nothing was changed"):
        await store.change(with_user(BEN))
    assert path.read_text() == "{"
    path.write_bytes(good)
    await until(lambda: store.error is None)
    path.unlink()
    await until(lambda: store.error is not None)
    assert store.accounts.users == {"anna": ANNA}, "nobody is let in by who removes the file"
    await store.change(with_user(BEN))
    assert set(understood(path.read_bytes()).users) == {"anna", "ben"}
    assert caplog.text.count("it is not JSON; what it said before") == 1
    watching.cancel()


async def test_who_leaves_meanwhile_leaves_no_half_change(tmp_path: Path) -> None:
    """A change whose caller is gone is either made or not: what is in the file comes into force."""
    store = Store(tmp_path / "a.access.json")
    watching = asyncio.create_task(store.watch())
    in_edit, go_on = threading.Event(), threading.Event()

    def slow(accounts: Accounts) -> Accounts:
        in_edit.set()
        go_on.wait()
        return accounts.with_user(ANNA)

    changing = asyncio.create_task(store.change(slow))
    await until(in_edit.is_set)
    changing.cancel()
    go_on.set()
    await until(lambda: "anna" in store.accounts.users)
    watching.cancel()


async def test_without_a_file_all_is_kept_in_memory() -> None:
    """A service that follows no file has users as long as it runs."""
    store = Store(None)
    store.read()
    await store.change(with_user(ANNA))
    assert store.accounts.users == {"anna": ANNA}


async def test_what_has_ended_is_swept_out(tmp_path: Path) -> None:
    """At each change sessions and tokens whose time is over leave the file."""
    now = [1000.0]
    store = Store(tmp_path / "a.access.json", wall=lambda: now[0])
    session = Session("d1", "s1", "anna", 1000.0, 1010.0)
    token = Token("t1", "grafana", "d2", ACTIONS, expires_at=1020.0)
    await store.change(lambda accounts: accounts.with_session(session).with_token(token))
    now[0] = 1010.0
    await store.change(with_user(ANNA))
    assert (len(store.accounts.sessions), len(store.accounts.tokens)) == (0, 1)
    await store.change(lambda accounts: accounts.with_token(replace(token, digest="d3", expires_at=None)))
    now[0] = 1020.0
    await store.change(with_user(BEN))
    assert [each.digest for each in store.accounts.tokens.values()] == ["d3"]
    assert len(json.loads((tmp_path / "a.access.json").read_bytes())["tokens"]) == 1


async def test_the_lock_is_no_link(tmp_path: Path) -> None:
    """Where somebody has put a link in its place, nothing is made behind it, and nothing is changed."""
    (tmp_path / ".a.access.json.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="is a link") as refused:
        await Store(tmp_path / "a.access.json").change(with_user(ANNA))
    assert refused.value.status == 503
    assert names_in(tmp_path) == [".a.access.json.lock"]
