"""streamer.access.identity: who somebody is here of whom a provider says something."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.identity import MAX_GROUPS, identity_of
from streamer.access.user_name import user_name
from streamer.values.errors import ConfigError

VALUES = st.none() | st.integers() | st.text(max_size=80) | st.lists(st.text(max_size=8) | st.integers(), max_size=4)


def read(**claims: Any) -> tuple[str, tuple[str, ...]]:
    """Name and groups."""
    found = identity_of({"sub": "u1", **claims}, provider="id", name_claim="preferred_username", groups_claim="groups")
    return found.name, found.groups


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "anna", "email": "a@example.org"}, "id/anna"),
        ({"email": "a@example.org", "email_verified": True}, "id/a@example.org"),
        ({"email": "a@example.org"}, "id/a@example.org"),
        ({"email": "root@example.org", "email_verified": False}, "id/u1"),
        ({"email": "root@example.org", "email_verified": "false"}, "id/u1"),
        ({"email": "root@example.org", "email_verified": 0}, "id/u1"),
        ({"email": "a@example.org", "email_verified": "true"}, "id/a@example.org"),
        ({"preferred_username": ""}, "id/u1"),
        ({"preferred_username": 7}, "id/u1"),
        ({"preferred_username": "an\u202ena"}, "id/u1"),
        ({"preferred_username": "id/anna"}, "id/u1"),
        ({"preferred_username": "x" * 65}, "id/u1"),
        ({"sub": "auth0|5f7c"}, "id/auth0|5f7c"),
        ({"sub": "x" * 200}, "id/aa20c23e3201834050679e1d88941b9a"),
    ],
)
def test_the_name_is_the_first_that_somebody_may_be_called(claims: dict[str, Any], name: str) -> None:
    """The claim that is configured, else a checked address, else the identifier: shortened where it is too long."""
    assert read(**claims)[0] == name


@pytest.mark.parametrize(
    ("groups", "taken"),
    [
        (["staff", "cameras"], ("staff", "cameras")),
        ("staff", ("staff",)),
        (["staff", 7, None, ["x"]], ("staff",)),
        ({"staff": True}, ()),
        (None, ()),
        (["g"] * 5000, ("g",) * MAX_GROUPS),
    ],
)
def test_groups_are_a_list_of_names_or_one(groups: object, taken: tuple[str, ...]) -> None:
    """What is neither is no group."""
    assert read(groups=groups)[1] == taken


@pytest.mark.parametrize("verified", [False, "false", None, [], 0])
def test_an_address_that_is_not_checked_is_nobodys_name(verified: object) -> None:
    """Also where it is the claim that is asked for: by it one would share another's sessions."""
    claims = {"sub": "u1", "email": "root@example.org", "email_verified": verified}
    assert identity_of(claims, provider="id", name_claim="email", groups_claim="groups").name == "id/u1"


@given(st.dictionaries(st.sampled_from(["preferred_username", "email", "groups"]), VALUES), st.text(min_size=1))
def test_nobody_there_becomes_a_user_of_ours(claims: dict[str, Any], sub: str) -> None:
    """Whatever a provider says, no user here may be called that; and it can be shown."""
    name, _ = read(**claims, sub=sub)
    with pytest.raises(ConfigError):
        user_name(name)
    assert name.isprintable()
    assert name.startswith("id/")
