"""`sightline user` and `sightline token`: who may come in, by command, beside a service that runs or does not."""

import asyncio
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streamer import cli
from streamer.access.accounts import Accounts, Session, Token
from streamer.access.action import Action, Role
from streamer.access.audit_file import AuditFile
from streamer.access.credential import digest
from streamer.access.password import Passwords
from streamer.access.store import Store

COMMAND = [sys.executable, "-m", "streamer"]


class Desk:
    """Somebody at the machine, in the folder of a service."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.said = ""
        """What the last command printed on stderr."""

    def __call__(self, *arguments: str) -> str:
        """What a command prints on stdout; it is done."""
        assert cli.main(arguments) == 0
        out, self.said = self._capsys.readouterr()
        return out.rstrip("\n")

    def refused(self, *arguments: str) -> str:
        """The one line that a command which cannot be done ends with: exit code 2."""
        assert cli.main(arguments) == 2
        out, err = self._capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        return err.removeprefix("sightline: ").rstrip("\n")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """One whose commands have no terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return Desk(capsys)


def text(name: str) -> str:
    """What a file holds."""
    return Path(name).read_text()


def kept(path: str = "sightline.access.json") -> Accounts:
    """What the file says now."""
    store = Store(Path(path))
    store.read()
    return store.accounts


def audited() -> list[tuple[str, str]]:
    """What was done, and to what, in order."""
    found, _ = AuditFile(Path("sightline.audit.jsonl")).search(lambda _: True, None, 100)
    return [(deed.what, deed.target) for deed in reversed(found)]


async def test_the_first_user_takes_one_command(desk: Desk) -> None:
    """Without a configuration, without a terminal: the password is made up, printed once, and the right one."""
    password = desk("user", "add", "anna", "--role", "admin")
    assert re.fullmatch(r"([a-z2-9]{4}-){4}[a-z2-9]{4}", password)
    anna = kept().users["anna"]
    assert (anna.role, anna.streams) == (Role.ADMIN, ("*",))
    assert await Passwords().verify(password, anna.password)
    assert password not in desk.said
    assert password not in text("sightline.access.json") + text("sightline.audit.jsonl")
    assert audited() == [("user add", "anna")]


async def test_a_password_comes_by_a_pipe(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """--password-stdin takes the first line as it is, prints nothing, and refuses what is none."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(" correct horse \r\nmore\n"))
    assert desk("user", "add", "ben", "--role", "viewer", "--streams", "line-*", "door", "--password-stdin") == ""
    ben = kept().users["ben"]
    assert ben.streams == ("line-*", "door")
    assert await Passwords().verify(" correct horse ", ben.password)
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert desk.refused("user", "passwd", "ben", "--password-stdin") == "a password has 8 to 256 characters"
    assert kept().users["ben"] == ben


async def test_a_terminal_is_asked_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed twice is the password, and two that differ change nothing."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    typed = iter(["correct horse", "correct horse", "correct horse", "correct house"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert desk("user", "add", "anna", "--role", "operator") == ""
    assert await Passwords().verify("correct horse", kept().users["anna"].password)
    assert desk.refused("user", "passwd", "anna") == "the two passwords differ; nothing was changed"
    assert desk("user", "passwd", "anna", "--generate") != ""


def test_a_new_password_ends_the_sessions(desk: Desk) -> None:
    """`passwd` and `remove` sign their user out everywhere, and nobody else."""
    for name in ("anna", "ben"):
        desk("user", "add", name, "--role", "viewer")
    store = Store(Path("sightline.access.json"))
    for number, name in enumerate(("anna", "anna", "ben")):
        session = Session(str(number), str(number), name, 1e10, 2e10)
        store.change_now(lambda accounts, session=session: accounts.with_session(session))  # type: ignore[misc]
    desk("user", "passwd", "Anna")
    assert [session.user for session in kept().sessions.values()] == ["ben"]
    desk("user", "remove", "ben")
    assert (list(kept().users), dict(kept().sessions)) == (["anna"], {})
    assert audited()[2:] == [("password change", "anna"), ("user remove", "ben")]


def test_the_last_administrator_may_go_by_command(desk: Desk) -> None:
    """Who has the machine may do so; he is told that nobody is one any more, and when the door may stand open."""
    for name, role in ("anna", "admin"), ("ben", "viewer"):
        desk("user", "add", name, "--role", role)
    desk("user", "remove", "anna")
    assert "nobody is an administrator any more" in desk.said
    assert "there are no users any more" not in desk.said
    desk("user", "remove", "ben")
    assert "there are no users any more: on loopback, without a section access, nobody is asked" in desk.said


def test_a_token_is_printed_once(desk: Desk) -> None:
    """The secret is in no file; its name, actions, streams and end are."""
    secret = desk(
        "token", "add", "prometheus", "--actions", "metrics", "view", "--streams", "line-*", "--expires", "90d"
    )
    assert re.fullmatch(r"slt_[A-Za-z0-9_-]{43}", secret)
    token: Token = kept().tokens[digest(secret)]
    assert (token.name, token.actions, token.streams) == (
        "prometheus",
        frozenset({Action.METRICS, Action.VIEW}),
        ("line-*",),
    )
    assert token.expires_at is not None
    assert abs(token.expires_at - token.created_at - 90 * 86400) < 1
    assert secret not in desk.said + "".join(path.read_text() for path in Path().iterdir())
    assert "prometheus" in desk("token", "list")
    desk("token", "remove", token.id)
    desk("token", "add", "other", "--actions", "publish")
    desk("token", "remove", "Other")
    assert not kept().tokens
    assert audited() == [
        ("token add", "prometheus"),
        ("token remove", "prometheus"),
        ("token add", "other"),
        ("token remove", "other"),
    ]


def test_what_was_done_is_said_in_full(desk: Desk) -> None:
    """Who may do what, on which streams, and in which folder that stands."""
    desk("user", "add", "ben", "--role", "viewer", "--streams", "line-*", "door")
    assert f"ben may sign in as viewer, and see line-*, door; kept in {Path.cwd()}/sightline.access" in desk.said
    desk("token", "add", "prometheus", "--actions", "metrics", "view")
    assert f"prometheus is good for metrics, view of every stream; kept in {Path.cwd()}/sightline" in desk.said


def test_lists_are_for_people_and_for_programs(desk: Desk) -> None:
    """A table, or a JSON array of the same; no hash and no digest is in either."""
    assert desk("user", "list") == ""
    assert "there are no users in sightline.access.json" in desk.said
    assert json.loads(desk("user", "list", "--json")) == []
    desk("user", "add", "ben", "--role", "viewer", "--streams", "line-*", "door")
    desk("user", "add", "Anna", "--role", "admin")
    desk("token", "add", "grafana", "--actions", "metrics")
    head, *rows = desk("user", "list").splitlines()
    assert head.split() == ["name", "role", "streams", "sessions", "created", "at"]
    assert [row.split()[:3] for row in rows] == [["Anna", "admin", "*"], ["ben", "viewer", "line-*"]]
    users = json.loads(desk("user", "list", "--json"))
    assert [(user["name"], user["streams"]) for user in users] == [("Anna", ["*"]), ("ben", ["line-*", "door"])]
    [token] = json.loads(desk("token", "list", "--json"))
    assert (token["name"], token["actions"], token["expires_at"], token["used_at"]) == (
        "grafana",
        ["metrics"],
        None,
        None,
    )
    everything = desk("user", "list") + json.dumps(users) + desk("token", "list") + json.dumps(token)
    assert not any(secret in everything for secret in ["argon2", *kept().tokens])


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (
            "user add ANNA --role viewer",
            "there is a user 'anna' already; `sightline user passwd` gives another password",
        ),
        ("user passwd ben", "there is no user 'ben'; there are: anna"),
        ("user remove ben", "there is no user 'ben'; there are: anna"),
        ("user add nobody --role viewer", "'nobody' is no user's name"),
        ("token add Grafana --actions view", "there is a token 'grafana' already"),
        (f"token add {'x' * 65} --actions view", "a token's name has 1 to 64 characters, not 65"),
        ("token remove prometheus", "there is no token 'prometheus'; there are: grafana"),
        ("user list --config missing.yaml", "missing.yaml: cannot be read: No such file or directory"),
        ("user list --config bad.yaml", "bad.yaml: line 1, column 2 is not YAML"),
        ("user list --config odd.yaml", "odd.yaml: access.store: 7 is not allowed; it must be a text"),
        ("user add ben --role viewer --config far.yaml", "nowhere/users.json: its folder is not there; nothing was"),
    ],
)
def test_what_cannot_be_done_is_one_line(desk: Desk, command: str, says: str) -> None:
    """It says what is not so, ends with 2, and changes nothing."""
    desk("user", "add", "anna", "--role", "admin")
    desk("token", "add", "grafana", "--actions", "metrics")
    Path("bad.yaml").write_text("[")
    Path("odd.yaml").write_text("access: {store: 7}")
    Path("far.yaml").write_text("access: {store: nowhere/users.json}")
    before = Path("sightline.access.json").read_bytes()
    assert says in desk.refused(*command.split())
    assert Path("sightline.access.json").read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        "user add x --role king",
        "user add x",
        "token add x --actions fly",
        "token add x",
        "user",
        "token add x --actions view --expires 3m",
        "user add x --role viewer --streams ../x",
    ],
)
def test_what_is_no_command_is_said(desk: Desk, command: str) -> None:
    """A word that is none ends with 2, as with every other command."""
    with pytest.raises(SystemExit) as ended:
        desk(*command.split())
    assert ended.value.code == 2
    assert not Path("sightline.access.json").exists()


def test_the_configuration_says_where(desk: Desk) -> None:
    """The file lies beside the configuration or where it says; its other keys need not be understood, nor their
    variables be set, for who sits at the machine has not the service's environment."""
    Path("here.yaml").write_text("streams: {a: {url: 'rtsp://${SIGHTLINE_TEST_UNSET}/x'}}")
    Path("there.yaml").write_text("{access: {store: kept.json, oidc: '${SIGHTLINE_TEST_UNSET}'}, nonsense: 1}")
    desk("user", "add", "anna", "--role", "admin", "--config", "here.yaml")
    desk("user", "add", "ben", "--role", "admin", "--config", "there.yaml")
    assert list(kept("here.access.json").users) == ["anna"]
    assert list(kept("kept.json").users) == ["ben"]
    assert Path("here.audit.jsonl").exists()
    assert Path("kept.audit.jsonl").exists()


def test_an_audit_that_cannot_be_written_undoes_nothing(desk: Desk) -> None:
    """What was done is done, and it is said that the audit does not have it."""
    Path("sightline.audit.jsonl").mkdir()
    desk("user", "add", "anna", "--role", "admin")
    assert "sightline.audit.jsonl cannot be written: Is a directory; this is not in the audit" in desk.said
    assert "anna" in kept().users


async def test_a_service_and_commands_change_at_the_same_time(tmp_path: Path) -> None:
    """Nobody's change is lost, however many processes make one at once, and the service ends with all of them."""
    store = Store(tmp_path / "sightline.access.json")
    watching = asyncio.create_task(store.watch())
    config = tmp_path / "sightline.yaml"
    config.write_text("{}")
    commands = [
        subprocess.Popen(  # noqa: ASYNC220  it returns at once
            [*COMMAND, "token", "add", f"t{number}", "--actions", "view", "--config", config],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    ours = 0
    while any(command.poll() is None for command in commands):
        session = Session(f"d{ours}", f"s{ours}", f"user{ours}", 1e10, 2e10)
        await store.change(lambda accounts, session=session: accounts.with_session(session))  # type: ignore[misc]
        ours += 1
    assert [command.returncode for command in commands] == [0] * 4
    accounts = await store.change(lambda accounts: accounts)
    assert {token.name for token in accounts.tokens.values()} == {"t0", "t1", "t2", "t3"}
    assert set(accounts.sessions) == {f"d{number}" for number in range(ours)}
    assert store.accounts == accounts
    watching.cancel()


def test_a_reader_that_has_enough_is_no_mistake(tmp_path: Path) -> None:
    """`sightline user list --json | head -1` shows no traceback."""
    (tmp_path / "sightline.yaml").write_text("{}")
    theirs, ours = os.pipe()
    os.close(theirs)
    with os.fdopen(ours, "wb") as stdout:
        ended = subprocess.run(
            [*COMMAND, "user", "list", "--json", "--config", tmp_path / "sightline.yaml"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, b"")
