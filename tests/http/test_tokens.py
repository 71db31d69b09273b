"""streamer.http.tokens: what programs show, made and removed by administrators."""

import pytest

from streamer.access.action import Action
from tests.http.entrance import ADMIN, OPERATOR, run_entrance


async def test_a_token_is_shown_once_and_works() -> None:
    """Its secret is in the answer to its making alone; what is kept and listed is not it."""
    async with run_entrance("porch", "yard") as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna:
            new = {"name": "Home", "actions": ["view"], "streams": ["porch"], "expires_at": entrance.wall() + 60}
            made = await anna.ask("POST", "/api/tokens", new)
            assert made.status == 201
            secret = made.document.pop("secret")
            assert secret.startswith("slt_")
            assert made.document == new | {
                "id": made.document["id"],
                "created_at": entrance.wall(),
                "created_by": "anna",
                "used_at": None,
            }
            listed = await anna.ask("GET", "/api/tokens")
            assert listed.document == [made.document]
            assert secret not in listed.text + repr(entrance.store.accounts) + repr(entrance.audit.deeds)
            async with entrance.program(secret) as program:
                assert await program.who() == ("token", "token Home")
                assert (await program.ask("GET", "/api/streams/porch/frame.jpg")).status == 200
                assert (await program.ask("GET", "/api/streams/yard/frame.jpg")).status == 404
                entrance.wall.advance(60)
                assert (await program.ask("GET", "/api/streams/porch/frame.jpg")).status == 401


async def test_a_removed_token_is_none() -> None:
    """At its next request."""
    async with run_entrance("porch") as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna:
            made = (await anna.ask("POST", "/api/tokens", {"name": "home", "actions": ["view"]})).document
            async with entrance.program(made["secret"]) as program:
                assert (await program.ask("GET", "/api/streams/porch/frame.jpg")).status == 200
                assert (await anna.ask("DELETE", f"/api/tokens/{made['id']}")).status == 204
                assert (await program.ask("GET", "/api/streams/porch/frame.jpg")).status == 401
            assert (await anna.ask("DELETE", f"/api/tokens/{made['id']}")).status == 404
        assert ("anna", "token add", "home", True) in entrance.audit.told
        assert ("anna", "token remove", "home", True) in entrance.audit.told


async def test_when_a_token_was_last_used_is_told_to_the_minute() -> None:
    """Whatever it was used for; who shows another is not it."""
    async with run_entrance("porch") as entrance:
        await entrance.add(ADMIN)
        secret = await entrance.add_token(Action.METRICS)
        async with (
            entrance.browser("anna") as anna,
            entrance.program(secret) as program,
            entrance.program("another") as other,
        ):
            assert (await anna.ask("GET", "/api/tokens")).document[0]["used_at"] is None
            entrance.wall.advance(90)
            assert (await program.ask("GET", "/api/streams/porch/frame.jpg")).status == 403
            entrance.wall.advance(100)
            assert (await other.ask("GET", "/api/session")).status == 200
            await entrance.token_uses.keep()
            assert (await anna.ask("GET", "/api/tokens")).document[0]["used_at"] == 1_800_000_060
            await entrance.store.change(lambda accounts: accounts.without_token("1d"))
            await entrance.token_uses.keep()
            assert not entrance.store.accounts.tokens


async def test_two_tokens_have_two_names() -> None:
    """The audit tells them apart by their names."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna:
            new = {"name": "home", "actions": ["view"]}
            assert (await anna.ask("POST", "/api/tokens", new)).status == 201
            assert (await anna.ask("POST", "/api/tokens", new | {"name": "HOME"})).status == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "name: a token's name has 1 to 64 characters, not 0"),
        ({"name": "a\nb"}, "name: a token's name holds nothing that cannot be seen"),
        ({"name": "x" * 65}, "name: is too long; it must be a text of at most 64 characters"),
        ({"actions": []}, "actions: "),
        ({"actions": ["all"]}, "actions.0: 'all' is not allowed; it must be 'view', 'publish'"),
        ({"expires_at": 1000}, "expires_at: is over"),
        ({"expires_at": "tomorrow"}, "expires_at: 'tomorrow' is not allowed; it must be a number"),
        ({"colour": "red"}, "colour: unknown key; allowed here are name, actions, streams, expires_at"),
    ],
)
async def test_what_is_no_token_is_refused_in_a_sentence(change: dict[str, object], words: str) -> None:
    """422, says which key and what is allowed."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna:
            said = await anna.ask("POST", "/api/tokens", {"name": "home", "actions": ["view"]} | change)
            assert (said.status, words in said.detail) == (422, True), said.text
        assert not entrance.store.accounts.tokens


async def test_tokens_are_for_administrators() -> None:
    """Nobody gives himself more than he has by way of a token."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, OPERATOR)
        async with entrance.browser("otto") as otto:
            assert (await otto.ask("POST", "/api/tokens", {"name": "x", "actions": ["view"]})).status == 403
            assert (await otto.ask("GET", "/api/tokens")).status == 403
            assert (await otto.ask("DELETE", "/api/tokens/1d")).status == 403
