"""`sightline token`: what programs show, changed beside a service that runs or does not.

The secret of a new one is all that is printed on stdout, and is kept nowhere.
"""

import argparse
import re
import secrets
import time
from functools import partial

from streamer.access.accounts import Accounts, Token
from streamer.access.action import Action
from streamer.access.command_line import Keeps, add_options, add_streams, among, in_words, kept_in, note, say, show
from streamer.access.credential import digest, new_token
from streamer.access.user_name import key_of, token_name
from streamer.values.errors import ConfigError

_UNITS = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}

USAGE = "sightline token add NAME --actions ACTION … [--streams NAME …] [--expires 90d] [--config FILE]"
"""argparse would put NAME behind --streams, where it would be taken for one."""


def add_verbs(parser: argparse.ArgumentParser, keeps: Keeps) -> None:
    """The verbs of `sightline token`."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add = verbs.add_parser("add", help="make a token, and print it once", usage=USAGE)
    add.add_argument("name", metavar="NAME", help="what it is for")
    add.add_argument(
        "--actions",
        nargs="+",
        choices=[action.value for action in Action],
        required=True,
        help="what may be done with it",
    )
    add_streams(add)
    add.add_argument("--expires", type=_seconds, metavar="90d", help="after so many hours (h), days (d) or weeks (w)")
    remove = verbs.add_parser("remove", help="remove a token")
    remove.add_argument("token", metavar="NAME|ID")
    listing = verbs.add_parser("list", help="say which there are")
    listing.add_argument("--json", action="store_true", help="a JSON array instead of a table")
    for verb, does in ((add, _add), (remove, _remove), (listing, _list)):
        add_options(verb, partial(does, keeps=keeps))


def _seconds(text: str) -> float:
    """How long it counts, from what stands behind --expires."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; allowed are such as 12h, 90d and 52w")
    return int(found[1]) * _UNITS[found[2]]


def _add(arguments: argparse.Namespace, keeps: Keeps) -> int:
    store, audit = keeps(arguments)
    secret, now = new_token(), time.time()
    token = Token(
        secrets.token_hex(4),
        token_name(arguments.name),
        digest(secret),
        frozenset(map(Action, arguments.actions)),
        tuple(arguments.streams),
        None if arguments.expires is None else now + arguments.expires,
        now,
        "command",
    )

    def added(accounts: Accounts) -> Accounts:
        same = [each.name for each in accounts.tokens.values() if key_of(each.name) == key_of(token.name)]
        if same:
            raise ConfigError(f"there is a token {same[0]!r} already; remove it, or give this one another name")
        return accounts.with_token(token)

    store.change_now(added)
    note(audit, "token add", token.name, f"{', '.join(sorted(token.actions))}; {' '.join(token.streams)}")
    say(f"{token.name} is good for {', '.join(sorted(token.actions))} of {in_words(token.streams)}; {kept_in(store)}")
    say("this is the token; it is shown once:")
    print(secret, flush=True)
    return 0


def _remove(arguments: argparse.Namespace, keeps: Keeps) -> int:
    store, audit = keeps(arguments)
    token = _named(store.accounts, arguments.token)
    store.change_now(lambda accounts: accounts.without_token(token.id))
    note(audit, "token remove", token.name)
    say(f"{token.name} is removed")
    return 0


def _list(arguments: argparse.Namespace, keeps: Keeps) -> int:
    store, _ = keeps(arguments)
    rows = [
        {
            "id": token.id,
            "name": token.name,
            "actions": sorted(token.actions),
            "streams": token.streams,
            "expires_at": None if token.expires_at is None else round(token.expires_at),
            "used_at": None if token.used_at is None else round(token.used_at),
            "created_at": round(token.created_at),
            "created_by": token.created_by,
        }
        for token in sorted(store.accounts.tokens.values(), key=lambda token: key_of(token.name))
    ]
    show(rows, as_json=arguments.json, none=f"there are no tokens in {store.path}")
    return 0


def _named(accounts: Accounts, text: str) -> Token:
    for token in accounts.tokens.values():
        if token.id == text or key_of(token.name) == key_of(text):
            return token
    raise ConfigError(
        f"there is no token {text!r}; there are: {among(sorted(t.name for t in accounts.tokens.values()))}"
    )
