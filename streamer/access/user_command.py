"""`sightline user`: who may sign in, changed beside a service that runs or does not.

A password that was made up is all that is printed on stdout, and is kept nowhere.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from streamer.access import new_password
from streamer.access.accounts import Accounts, User
from streamer.access.action import Role
from streamer.access.command_line import Keeps, add_options, add_streams, among, in_words, kept_in, note, say, show
from streamer.access.password import hashed_now, require_password
from streamer.access.user_name import found, key_of, user_name
from streamer.values.errors import ConfigError

USAGE = "sightline user add NAME --role ROLE [--streams NAME …] [--generate | --password-stdin] [--config FILE]"
"""argparse would put NAME behind --streams, where it would be taken for one."""


def add_verbs(parser: argparse.ArgumentParser, keeps: Keeps) -> None:
    """The verbs of `sightline user`."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(
        word: str,
        does: Callable[..., int],
        says: str,
        *,
        name: bool = True,
        usage: str | None = None,
    ) -> argparse.ArgumentParser:
        added = verbs.add_parser(word, help=says, usage=usage)
        if name:
            added.add_argument("name", metavar="NAME")
        add_options(added, partial(does, keeps=keeps))
        return added

    add = verb("add", _add, "let somebody sign in", usage=USAGE)
    add.add_argument("--role", choices=[role.value for role in Role], required=True, help="what he is here")
    add_streams(add)
    for asks in (add, verb("passwd", _passwd, "give a user another password, and end his sessions")):
        how = asks.add_mutually_exclusive_group()
        how.add_argument("--generate", action="store_true", help="make up a password and print it, instead of asking")
        how.add_argument("--password-stdin", action="store_true", help="read it from the first line of stdin")
    verb("remove", _remove, "remove a user, and end his sessions")
    listing = verb("list", _list, "say who may sign in", name=False)
    listing.add_argument("--json", action="store_true", help="a JSON array instead of a table")


def _add(arguments: argparse.Namespace, keeps: Keeps) -> int:
    store, audit = keeps(arguments)
    name = user_name(arguments.name)
    _require_new(store.accounts, name)  # before a password is asked for
    hashed, made_up = _hashed(arguments)
    user = User(name, Role(arguments.role), tuple(arguments.streams), hashed, time.time())

    def added(accounts: Accounts) -> Accounts:
        _require_new(accounts, name)
        return accounts.with_user(user)

    store.change_now(added)
    note(audit, "user add", name, f"{user.role}, {' '.join(user.streams)}")
    say(f"{name} may sign in as {user.role}, and see {in_words(user.streams)}; {kept_in(store)}")
    _print(made_up)
    return 0


def _passwd(arguments: argparse.Namespace, keeps: Keeps) -> int:
    store, audit = keeps(arguments)
    name = _named(store.accounts, arguments.name).name
    hashed, made_up = _hashed(arguments)

    def changed(accounts: Accounts) -> Accounts:
        return accounts.with_user(replace(_named(accounts, name), password=hashed)).signed_out(name)

    store.change_now(changed)
    note(audit, "password change", name)
    say(f"{name} has another password, and is signed out everywhere")
    _print(made_up)
    return 0


def _remove(arguments: argparse.Namespace, keeps: Keeps) -> int:
    store, audit = keeps(arguments)
    name = _named(store.accounts, arguments.name).name
    left = store.change_now(lambda accounts: accounts.without_user(_named(accounts, name).name))
    note(audit, "user remove", name)
    say(f"{name} is removed, and signed out everywhere")
    if not any(user.role is Role.ADMIN for user in left.users.values()):
        say("nobody is an administrator any more; `sightline user add NAME --role admin` makes one")
    if not left.users:
        say("there are no users any more: on loopback, without a section access, nobody is asked who he is from now on")
    return 0


def _list(arguments: argparse.Namespace, keeps: Keeps) -> int:
    store, _ = keeps(arguments)
    rows = [
        {
            "name": user.name,
            "role": user.role.value,
            "streams": user.streams,
            "sessions": sum(session.user == user.name for session in store.accounts.sessions.values()),
            "created_at": round(user.created_at),
        }
        for user in sorted(store.accounts.users.values(), key=lambda user: key_of(user.name))
    ]
    show(rows, as_json=arguments.json, none=f"there are no users in {store.path}")
    return 0


def _hashed(arguments: argparse.Namespace) -> tuple[str, str | None]:
    """The hash of the new password, and the password itself where it was made up."""
    password, is_made_up = new_password.given(generate=arguments.generate, from_stdin=arguments.password_stdin)
    require_password(password)
    return hashed_now(password), password if is_made_up else None


def _print(made_up: str | None) -> None:
    if made_up is not None:
        say("this is the password; it is shown once:")
        print(made_up, flush=True)


def _require_new(accounts: Accounts, name: str) -> None:
    if (same := found(accounts.users, name)) is not None:
        raise ConfigError(f"there is a user {same.name!r} already; `sightline user passwd` gives another password")


def _named(accounts: Accounts, name: str) -> User:
    if (user := found(accounts.users, name)) is not None:
        return user
    raise ConfigError(f"there is no user {name!r}; there are: {among(sorted(accounts.users))}")
