"""streamer.http.users: users added, changed and removed by administrators, of whom one stays."""

import pytest

from streamer.access.accounts import User
from streamer.access.action import Action, Role
from tests.http.entrance import ADMIN, OPERATOR, PASSWORD, VIEWER, run_entrance


async def test_a_user_is_added_and_signs_in() -> None:
    """With role, streams and password; the list has all of them, and no hash."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna, entrance.browser() as browser:
            new = {"name": "Zoë M.", "role": "viewer", "streams": ["line-*"], "password": PASSWORD}
            said = await anna.ask("POST", "/api/users", new)
            assert said.status == 201
            assert said.headers["Location"] == "/api/users/Zo%C3%AB%20M."
            assert said.document == {
                "name": "Zoë M.",
                "role": "viewer",
                "streams": ["line-*"],
                "password": True,
                "created_at": entrance.wall(),
                "sessions": 0,
            }
            assert (await browser.sign_in("zoë m.")).status == 201
            listed = await anna.ask("GET", "/api/users")
            assert [(each["name"], each["sessions"]) for each in listed.document] == [("anna", 1), ("Zoë M.", 1)]
            assert "hash" not in listed.text
            assert (await anna.ask("DELETE", said.headers["Location"])).status == 204
            assert await browser.who() == ("nobody", "nobody")
        assert ("anna", "user add", "Zoë M.", True) in entrance.audit.told
        assert ("anna", "user remove", "Zoë M.", True) in entrance.audit.told
        assert PASSWORD not in repr(entrance.audit.deeds)


async def test_two_users_have_two_names() -> None:
    """A name that differs in case, width or composition is taken already; nobody is replaced."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, User("Zoë", Role.VIEWER))
        async with entrance.browser("anna") as anna:
            for name in ("Zoë", "ZOË", "Zoe\u0308", "ｚｏë", "Anna"):
                said = await anna.ask("POST", "/api/users", {"name": name, "role": "admin"})
                assert (said.status, "already" in said.detail) == (409, True)
        assert entrance.store.accounts.users["Zoë"].role == Role.VIEWER


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"name": "a\nb", "role": "viewer"}, "name: a user's name holds nothing that cannot be seen"),
        ({"name": "", "role": "viewer"}, "name: a user's name has 1 to 64 characters, not 0"),
        ({"name": "bob"}, "role: is missing"),
        ({"name": "bob", "role": "boss"}, "role: 'boss' is not allowed; it must be 'viewer', 'operator' or 'admin'"),
        ({"name": "bob", "role": "viewer", "streams": "porch"}, "streams: "),
        ({"name": "bob", "role": "viewer", "streams": ["a b"]}, "streams.0: 'a b' is no stream's name"),
        ({"name": "bob", "role": "viewer", "streams": ["*"] * 300}, "streams: is too long"),
        ({"name": "bob", "role": "viewer", "admin": True}, "admin: unknown key; allowed here are name"),
    ],
)
async def test_what_is_no_user_is_refused_in_a_sentence(document: dict[str, object], words: str) -> None:
    """422, says which key and what is allowed."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna:
            said = await anna.ask("POST", "/api/users", document)
            assert (said.status, words in said.detail) == (422, True), said.text


async def test_what_is_not_named_in_a_change_stays() -> None:
    """Role, streams and password are changed each by itself."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with entrance.browser("anna") as anna, entrance.browser() as browser:
            for change, role, streams in (
                ({"role": "operator"}, "operator", ["porch"]),
                ({"streams": ["yard", "line-?"]}, "operator", ["yard", "line-?"]),
                ({}, "operator", ["yard", "line-?"]),
            ):
                said = await anna.ask("PATCH", "/api/users/vera", change)
                assert (said.status, said.document["role"], said.document["streams"]) == (200, role, streams)
                assert said.document["password"]
            assert (await browser.sign_in("vera")).document["principal"]["streams"] == ["yard", "line-?"]
            said = await anna.ask("PATCH", "/api/users/vera", {"password": None})
            assert not said.document["password"]
            assert (await anna.ask("PATCH", "/api/users/bob", {})).status == 404


async def test_a_password_given_by_an_administrator_ends_the_users_sessions() -> None:
    """But not the one that asks, where it is his own."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with (
            entrance.browser("anna") as anna,
            entrance.browser("anna") as other,
            entrance.browser("vera") as vera,
        ):
            for user in ("anna", "vera"):
                said = await anna.ask("PATCH", f"/api/users/{user}", {"password": "battery staple"})
                assert said.status == 200
            assert await vera.who() == ("nobody", "nobody")
            assert await other.who() == ("nobody", "nobody")
            assert await anna.who() == ("user", "anna")
            assert (await vera.sign_in("vera")).status == 401
            assert (await vera.sign_in("vera", "battery staple")).status == 201


async def test_a_changed_role_counts_at_once() -> None:
    """For who is signed in already."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, OPERATOR)
        async with entrance.browser("anna") as anna, entrance.browser("otto") as otto:
            assert (await otto.ask("GET", "/api/users")).status == 403
            await anna.ask("PATCH", "/api/users/otto", {"role": "admin"})
            assert (await otto.ask("GET", "/api/users")).status == 200


@pytest.mark.parametrize(
    ("method", "change"), [("DELETE", None), ("PATCH", {"role": "operator"}), ("PATCH", {"password": None})]
)
async def test_the_last_administrator_stays_one(method: str, change: object) -> None:
    """He is neither removed nor changed nor kept from signing in, by himself or by a token, unless there is another."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        secret = await entrance.add_token(Action.ADMINISTER)
        async with entrance.browser("anna") as anna, entrance.program(secret) as program:
            for who in (anna, program):
                said = await who.ask(method, "/api/users/anna", change)
                assert (said.status, "last administrator" in said.detail) == (409, True)
            assert await anna.who() == ("user", "anna")
            await anna.ask("POST", "/api/users", {"name": "elsewhere", "role": "admin"})
            assert (await anna.ask(method, "/api/users/anna", change)).status == 409
            await anna.ask("POST", "/api/users", {"name": "adam", "role": "admin", "password": PASSWORD})
            assert (await anna.ask(method, "/api/users/anna", change)).status in (200, 204)


async def test_users_are_for_administrators() -> None:
    """Others are refused, and change nothing."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, OPERATOR, VIEWER)
        secret = await entrance.add_token(Action.VIEW, Action.PUBLISH, Action.OPERATE, Action.METRICS)
        before = entrance.store.accounts.users
        async with (
            entrance.browser("otto") as otto,
            entrance.browser("vera") as vera,
            entrance.program(secret) as program,
            entrance.browser() as nobody,
        ):
            for who, status in ((otto, 403), (vera, 403), (program, 403), (nobody, 401)):
                assert (await who.ask("GET", "/api/users")).status == status
                assert (await who.ask("POST", "/api/users", {"name": "eve", "role": "admin"})).status == status
                assert (await who.ask("PATCH", "/api/users/vera", {"role": "admin"})).status == status
                assert (await who.ask("DELETE", "/api/users/anna")).status == status
        assert entrance.store.accounts.users == before
