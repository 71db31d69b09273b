"""streamer.http.sessions: where one is signed in, and the end of it."""

from tests.http.entrance import ADMIN, OPERATOR, VIEWER, run_entrance


async def test_ones_own_sessions_are_listed_and_the_one_that_asks_is_marked() -> None:
    """The newest first, with address and browser; no value that one could sign in with, and nobody else's."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with (
            entrance.browser("anna"),
            entrance.browser("vera", **{"User-Agent": "old browser"}) as old,
        ):
            entrance.wall.advance(60)
            async with entrance.browser("vera", **{"User-Agent": "new browser"}) as new:
                said = await new.ask("GET", "/api/sessions")
                assert [(each["agent"], each["current"]) for each in said.document] == [
                    ("new browser", True),
                    ("old browser", False),
                ]
                assert {each["address"] for each in said.document} == {"127.0.0.1"}
                assert {each["user"] for each in said.document} == {"vera"}
                for secret in (*new.cookies.values(), *old.cookies.values(), *entrance.store.accounts.sessions):
                    assert secret not in said.text


async def test_one_session_is_ended_by_its_id() -> None:
    """One's own; of an id that is another's, or nobody's, there is none."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with (
            entrance.browser("vera") as browser,
            entrance.browser("vera") as lost,
            entrance.browser("anna") as anna,
        ):
            ids = {each["current"]: each["id"] for each in (await browser.ask("GET", "/api/sessions")).document}
            assert (await browser.ask("DELETE", f"/api/sessions/{ids[False]}")).status == 204
            assert await lost.who() == ("nobody", "nobody")
            assert await browser.who() == ("user", "vera")
            [hers] = (await anna.ask("GET", "/api/sessions")).document
            assert (await browser.ask("DELETE", f"/api/sessions/{hers['id']}")).status == 404
            assert await anna.who() == ("user", "anna")


async def test_signing_out_everywhere_ends_all_of_ones_own() -> None:
    """The one that asks too, whose cookie goes; nobody else's."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with (
            entrance.browser("vera") as browser,
            entrance.browser("vera") as other,
            entrance.browser("anna") as anna,
        ):
            assert (await browser.ask("DELETE", "/api/sessions")).status == 204
            assert not browser.cookies
            assert await other.who() == ("nobody", "nobody")
            assert await anna.who() == ("user", "anna")
        assert ("vera", "sign out everywhere", "vera", True) in entrance.audit.told


async def test_another_users_sessions_are_for_administrators() -> None:
    """They see and end them; everybody else is refused, also with a name that is nobody's, and nobody must sign in."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, OPERATOR, VIEWER)
        async with (
            entrance.browser("anna") as anna,
            entrance.browser("vera") as vera,
            entrance.browser("otto") as otto,
            entrance.browser() as nobody,
        ):
            for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", "/1234")):
                for user in ("vera", "nobody-of-that-name"):
                    assert (await otto.ask(method, f"/api/sessions{path}?user={user}")).status == 403
                    assert (await nobody.ask(method, f"/api/sessions{path}?user={user}")).status == 401
                assert (await nobody.ask(method, f"/api/sessions{path}")).status == 401
            [hers] = (await anna.ask("GET", "/api/sessions?user=vera")).document
            assert (hers["user"], hers["current"]) == ("vera", False)
            assert (await vera.ask("GET", "/api/sessions?user=vera")).document[0]["current"]
            assert (await anna.ask("DELETE", f"/api/sessions/{hers['id']}?user=vera")).status == 204
            assert await vera.who() == ("nobody", "nobody")
            assert (await anna.ask("DELETE", "/api/sessions?user=otto")).status == 204
            assert await otto.who() == ("nobody", "nobody")
            assert await anna.who() == ("user", "anna")
        assert ("anna", "session end", "vera", True) in entrance.audit.told
        assert ("anna", "sign out everywhere", "otto", True) in entrance.audit.told
