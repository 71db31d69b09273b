"""streamer.http.session: signing in and out, and what can be learned by trying."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from argon2 import PasswordHasher

from streamer.access.accounts import Accounts, User
from streamer.access.action import Action, Role
from streamer.access.gate import GateRules
from streamer.access.password import Passwords, is_outdated
from streamer.access.principal import Grant
from streamer.access.user_name import found
from streamer.http import session
from streamer.http.sign_in import agent_of
from streamer.http.trusted_proxies import TrustedProxies
from tests.http.entrance import ADMIN, PASSWORD, SESSION_SECONDS, VIEWER, CountingPasswords, run_entrance

ELSEWHERE = User("elsa", Role.VIEWER)
"""Has no password."""


def without_password(accounts: Accounts) -> Accounts:
    """With a user who signs in elsewhere only."""
    return accounts.with_user(ELSEWHERE)


async def test_who_signs_in_is_known_until_he_signs_out() -> None:
    """The cookie makes a browser its user's, with his role, actions and streams; and no other browser."""
    async with run_entrance("porch") as entrance, entrance.browser() as browser, entrance.browser() as other:
        await entrance.add(VIEWER)
        said = await browser.sign_in("vera")
        assert said.status == 201
        assert said.document == {
            "principal": {
                "kind": "user",
                "name": "vera",
                "role": "viewer",
                "actions": ["view"],
                "streams": ["porch"],
            },
            "open": False,
            "sign_in": {"password": True, "oidc": None},
            "expires_at": entrance.wall() + SESSION_SECONDS,
        }
        assert (await browser.ask("GET", "/api/session")).document == said.document
        assert await other.who() == ("nobody", "nobody")
        assert (await browser.ask("DELETE", "/api/session")).status == 204
        assert await browser.who() == ("nobody", "nobody")
        assert not browser.cookies
        assert entrance.audit.told == [("vera", "sign in", "vera", True), ("vera", "sign out", "vera", True)]


async def test_signing_out_ends_the_session_and_not_only_its_cookie() -> None:
    """Whoever kept a copy of the cookie is nobody afterwards."""
    async with run_entrance() as entrance:
        await entrance.add(VIEWER)
        async with entrance.browser("vera") as browser:
            [(name, value)] = browser.cookies.items()
            async with entrance.browser(Cookie=f"{name}={value}") as thief:
                assert await thief.who() == ("user", "vera")
                await browser.ask("DELETE", "/api/session")
                assert await thief.who() == ("nobody", "nobody")


async def test_a_session_ends_after_its_hours() -> None:
    """However much it is used."""
    async with run_entrance() as entrance:
        await entrance.add(VIEWER)
        async with entrance.browser("vera") as browser:
            entrance.wall.advance(SESSION_SECONDS - 1)
            assert await browser.who() == ("user", "vera")
            entrance.wall.advance(1)
            assert await browser.who() == ("nobody", "nobody")


async def test_what_somebody_left_at_a_browser_is_not_used() -> None:
    """Each sign-in has a value of its own, and ends the session that was there: nobody can have known it before."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with entrance.browser("anna") as browser:
            [(name, left)] = browser.cookies.items()
            await browser.sign_in("vera")
            assert browser.cookies[name] != left
            assert await browser.who() == ("user", "vera")
            async with entrance.browser(Cookie=f"{name}={left}") as thief:
                assert await thief.who() == ("nobody", "nobody")
        assert len(entrance.store.accounts.sessions) == 1
        async with entrance.browser(Cookie="sightline=chosen-by-somebody-else") as lured:
            assert (await lured.sign_in("vera")).status == 201
            assert "chosen-by-somebody-else" not in lured.cookies.values()


async def test_nothing_tells_an_unknown_name_from_a_wrong_password() -> None:
    """Body, status and the work done are the same for a wrong password, for who has none, and for who is not there."""
    answers = []
    for name in ("vera", "elsa", "nobody-of-that-name", "x" * 1000, "\x00"):
        async with run_entrance() as entrance, entrance.browser() as browser:
            await entrance.add(VIEWER)
            await entrance.store.change(without_password)
            said = await browser.sign_in(name, "wrong")
            assert isinstance(entrance.passwords, CountingPasswords)
            headers = {key: value for key, value in said.headers.items() if key != "Date"}
            answers.append((said.status, said.text, headers, entrance.passwords.verified))
    assert [each == answers[0] for each in answers] == [True] * 5
    assert answers[0][0] == 401
    assert answers[0][3] == 1


async def test_names_are_found_whatever_their_case() -> None:
    """A telephone begins them with a capital. The session, and the audit, have the name as it was given."""
    async with run_entrance() as entrance, entrance.browser() as browser:
        await entrance.add(VIEWER)
        assert (await browser.sign_in("VERA")).status == 201
        assert await browser.who() == ("user", "vera")


async def test_tries_are_counted_before_the_password_is_looked_at() -> None:
    """After five from one address the sixth is 429 with Retry-After, right or wrong, and costs no hash."""
    async with run_entrance() as entrance, entrance.browser() as browser:
        await entrance.add(VIEWER)
        assert isinstance(entrance.passwords, CountingPasswords)
        said = [(await browser.sign_in(f"nobody-{n}", "wrong")).status for n in range(5)]
        assert said == [401] * 5
        refused = await browser.sign_in("vera")
        assert (refused.status, entrance.passwords.verified) == (429, 5)
        assert int(refused.headers["Retry-After"]) > 0
        entrance.clock.advance(float(refused.headers["Retry-After"]))
        assert (await browser.sign_in("vera")).status == 201


async def test_who_has_to_wait_costs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand users are looked through for who may try, on the event loop, and not for whoever is refused."""
    searched = list[str]()

    def searching(users: Mapping[str, User], name: str) -> User | None:
        searched.append(name)
        return found(users, name)

    monkeypatch.setattr(session, "found", searching)
    async with run_entrance() as entrance, entrance.browser() as browser:
        await entrance.add(VIEWER)
        said = [(await browser.sign_in("vera", "wrong")).status for _ in range(20)]
        assert said == [401] * 5 + [429] * 15
        assert len(searched) == 5


async def test_many_at_once_are_no_more_tries() -> None:
    """Who sends fifty before the first is answered has five looked at."""
    async with run_entrance() as entrance, entrance.browser() as browser:
        await entrance.add(VIEWER)
        said = await asyncio.gather(*(browser.sign_in("vera", f"wrong-{n}") for n in range(50)))
        assert sorted(each.status for each in said) == [401] * 5 + [429] * 45


async def test_where_who_asks_is_counts_and_not_his_proxy() -> None:
    """What failed at one address behind a proxy keeps nobody out at another."""
    async with run_entrance(remote=lambda request: request.headers["X-Asker"]) as entrance:
        await entrance.add(VIEWER)
        async with (
            entrance.browser(**{"X-Asker": "192.0.2.1"}) as stranger,
            entrance.browser(**{"X-Asker": "192.0.2.2"}) as vera,
        ):
            said = [(await stranger.sign_in("vera", "wrong")).status for _ in range(6)]
            assert said == [401] * 5 + [429]
            assert (await vera.sign_in("vera")).status == 201
        failed = [deed for deed in entrance.audit.deeds if not deed.ok]
        assert {deed.address for deed in failed} == {"192.0.2.1"}


async def test_while_too_many_wait_one_is_asked_to_come_back() -> None:
    """503 with Retry-After; the try does not count."""
    passwords = CountingPasswords()
    async with run_entrance(passwords=passwords) as entrance, entrance.browser() as browser:
        await entrance.add(VIEWER)
        passwords.full = True
        for _ in range(8):
            said = await browser.sign_in("vera")
            assert (said.status, said.headers["Retry-After"]) == (503, "1")
        passwords.full = False
        assert (await browser.sign_in("vera")).status == 201


async def test_strangers_who_fill_the_queue_keep_out_nobody_who_is_known() -> None:
    """Who has signed in where he is does so again, and changes his password; elsewhere his name is no help."""
    passwords = CountingPasswords()
    async with run_entrance(passwords=passwords, remote=lambda request: request.headers["X-Asker"]) as entrance:
        await entrance.add(VIEWER)
        async with (
            entrance.browser("vera", **{"X-Asker": "192.0.2.2"}) as vera,
            entrance.browser(**{"X-Asker": "192.0.2.2"}) as again,
            entrance.browser(**{"X-Asker": "192.0.2.1"}) as stranger,
        ):
            passwords.full = True
            assert (await stranger.sign_in("vera")).status == 503
            assert (await again.sign_in("vera")).status == 201
            new = {"old": PASSWORD, "new": "another password"}
            assert (await vera.ask("PUT", "/api/session/password", new)).status == 204


async def test_failures_are_in_the_audit_without_what_was_typed() -> None:
    """A password in the field for the name is kept nowhere; a user's name is."""
    async with run_entrance() as entrance, entrance.browser() as browser:
        await entrance.add(VIEWER)
        await browser.sign_in("my secret password", "x")
        await browser.sign_in("vera", "another secret")
        assert entrance.audit.told == [("nobody", "sign in", "", False), ("nobody", "sign in", "vera", False)]
        assert "secret" not in repr(entrance.audit.deeds)
        assert {deed.address for deed in entrance.audit.deeds} == {"127.0.0.1"}


async def test_a_user_who_is_another_by_now_is_not_signed_in() -> None:
    """Removed, or given another password, between the comparison and the session."""

    class Slow(CountingPasswords):
        async def verify(self, password: str, hashed: str | None, *, known: bool = False) -> bool:
            right = await super().verify(password, hashed)
            await change()
            return right

    for edit in (
        lambda accounts: accounts.without_user("vera"),
        lambda accounts: accounts.with_user(replace(VIEWER, password="hash of another")),
    ):
        async with run_entrance(passwords=Slow()) as entrance, entrance.browser() as browser:
            await entrance.add(VIEWER)

            async def change(entrance=entrance, edit=edit) -> None:  # type: ignore[no-untyped-def]
                await entrance.store.change(edit)

            assert (await browser.sign_in("vera")).status == 401
            assert not entrance.store.accounts.sessions


@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        ({"name": "vera"}, 422, "password: is missing"),
        ({"name": "vera", "password": 12345678}, 422, "password: its value is not allowed; it must be a text"),
        ({"name": ["vera"], "password": "x"}, 422, "name: "),
        ({"name": "vera", "password": "x", "role": "admin"}, 422, "role: unknown key; allowed here are name, password"),
        (["vera", "x"], 400, "mapping"),
        ({"name": "vera", "password": "x" * 20_000}, 413, "16 KiB"),
    ],
)
async def test_what_is_no_sign_in_is_refused_in_a_sentence(document: object, status: int, words: str) -> None:
    """Says what is wrong and what is allowed, repeats no password, and is no try."""
    async with run_entrance() as entrance, entrance.browser() as browser:
        said = await browser.ask("POST", "/api/session", document)
        assert (said.status, words in said.detail) == (status, True), said.text
        assert "12345678" not in said.text


async def test_only_json_is_taken() -> None:
    """What a form of any page could send is refused, and so is what is no JSON."""
    async with run_entrance() as entrance, entrance.browser() as browser:
        for content_type, body, status in (
            ("text/plain", '{"name": "vera", "password": "x"}', 415),
            ("application/x-www-form-urlencoded", "name=vera&password=x", 415),
            ("application/json", '{"name": "vera"', 400),
            ("application/json", "[" * 5000, 400),
            ("application/json", "", 400),
        ):
            async with browser.client.post(
                f"{browser.url}/api/session", data=body, headers={"Content-Type": content_type}
            ) as response:
                assert response.status == status, body[:20]


async def test_a_hash_of_other_parameters_is_renewed_by_who_shows_the_password() -> None:
    """It is as slow to guess as those of today from then on, and the password stays."""
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    async with run_entrance(passwords=Passwords()) as entrance, entrance.browser() as browser:
        await entrance.add(replace(VIEWER, password=old))
        assert (await browser.sign_in("vera", "wrong password")).status == 401
        assert entrance.store.accounts.users["vera"].password == old
        assert (await browser.sign_in("vera")).status == 201
        renewed = entrance.store.accounts.users["vera"].password
        assert renewed is not None
        assert not is_outdated(renewed)
        assert (await browser.sign_in("vera")).status == 201
        assert entrance.store.accounts.users["vera"].password == renewed


async def test_a_changed_password_ends_the_other_sessions() -> None:
    """The one that asks goes on; the old password is nobody's any more."""
    async with run_entrance() as entrance:
        await entrance.add(VIEWER)
        async with entrance.browser("vera") as browser, entrance.browser("vera") as other:
            said = await browser.ask("PUT", "/api/session/password", {"old": PASSWORD, "new": "battery staple"})
            assert said.status == 204
            assert await browser.who() == ("user", "vera")
            assert await other.who() == ("nobody", "nobody")
            assert (await other.sign_in("vera")).status == 401
            assert (await other.sign_in("vera", "battery staple")).status == 201
        assert ("vera", "password change", "vera", True) in entrance.audit.told


async def test_a_password_is_changed_by_who_knows_it() -> None:
    """Who found a browser open and does not know it is refused, and may try no more often than anybody."""
    async with run_entrance() as entrance:
        await entrance.add(VIEWER)
        async with entrance.browser("vera") as browser:
            for _ in range(5):
                said = await browser.ask("PUT", "/api/session/password", {"old": "wrong", "new": "battery staple"})
                assert said.status == 403
            said = await browser.ask("PUT", "/api/session/password", {"old": PASSWORD, "new": "battery staple"})
            assert said.status == 429
            assert await browser.who() == ("user", "vera")


async def test_who_has_no_password_here_changes_none() -> None:
    """Nobody, a token, and who signed in elsewhere."""
    new = {"old": PASSWORD, "new": "battery staple"}
    async with run_entrance() as entrance:
        await entrance.add(VIEWER)
        secret = await entrance.add_token(*Action)
        async with entrance.browser() as nobody, entrance.program(secret) as program, entrance.browser("vera") as vera:
            assert (await nobody.ask("PUT", "/api/session/password", new)).status == 401
            assert (await program.ask("PUT", "/api/session/password", new)).status == 401
            [session] = entrance.store.accounts.sessions.values()
            elsewhere = replace(session, grants=(Grant(frozenset({Action.VIEW})),))
            await entrance.store.change(lambda accounts: accounts.with_session(elsewhere))
            assert (await vera.ask("PUT", "/api/session/password", new)).status == 409


async def test_a_password_that_is_too_short_is_refused() -> None:
    """In a sentence that says how long it must be; the old one stays."""
    async with run_entrance(passwords=Passwords()) as entrance:
        await entrance.add(VIEWER)
        async with entrance.browser("vera") as browser:
            said = await browser.ask("PUT", "/api/session/password", {"old": PASSWORD, "new": "short"})
            assert (said.status, said.detail) == (422, "new: a password has 8 to 256 characters")
            assert (await browser.sign_in("vera")).status == 201


async def test_where_nobody_is_asked_that_is_said() -> None:
    """An open service says so; one where anybody may look says what he may."""
    async with run_entrance(rules=GateRules(is_open=True)) as entrance, entrance.browser() as browser:
        said = (await browser.ask("GET", "/api/session")).document
        assert (said["open"], said["principal"]["kind"], said["sign_in"]["password"]) == (True, "open", False)
        assert said["principal"]["actions"] == ["metrics", "operate", "publish", "view"]
        await entrance.add(VIEWER)
        said = (await browser.ask("GET", "/api/session")).document
        assert (said["open"], said["principal"]["actions"], said["sign_in"]["password"]) == (False, [], True)


async def test_answers_are_kept_by_nothing_on_the_way() -> None:
    """What is somebody's own is not for a cache."""
    async with run_entrance() as entrance, entrance.browser() as browser:
        assert (await browser.ask("GET", "/api/session")).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("proxies", "headers", "path", "name", "attributes"),
    [
        ((), {}, "", "sightline", {"path": "/", "secure": ""}),
        ((), {"X-Forwarded-Proto": "https"}, "", "sightline", {"path": "/", "secure": ""}),
        (("127.0.0.1",), {"X-Forwarded-Proto": "https"}, "", "__Host-sightline", {"path": "/", "secure": True}),
        (("127.0.0.1",), {"X-Forwarded-Proto": "http"}, "", "sightline", {"path": "/", "secure": ""}),
        (("127.0.0.1",), {}, "/cams", "sightline", {"path": "/cams", "secure": ""}),
        (
            ("127.0.0.1",),
            {"X-Forwarded-Proto": "https"},
            "/cams",
            "__Secure-sightline",
            {"path": "/cams", "secure": True},
        ),
        (
            ("127.0.0.1",),
            {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/a"},
            "",
            "__Secure-sightline",
            {"path": "/a", "secure": True},
        ),
    ],
)
async def test_the_cookie_is_as_strict_as_its_connection_allows(
    proxies: tuple[str, ...], headers: dict[str, str], path: str, name: str, attributes: dict[str, object]
) -> None:
    """`__Host-` over TLS, ours or a trusted proxy's; below a folder its path; never for scripts or from other sites."""
    async with (
        run_entrance(proxies=TrustedProxies(proxies, path or "/")) as entrance,
        entrance.browser(**headers) as browser,
    ):
        await entrance.add(VIEWER)
        said = await browser.ask("POST", f"{path}/api/session", {"name": "vera", "password": PASSWORD})
        [(given, cookie)] = SimpleCookie(said.headers["Set-Cookie"]).items()
        assert given == name
        assert {key: cookie[key] for key in attributes} == attributes
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
        assert (cookie["max-age"], cookie["expires"], cookie["domain"]) == ("", "", "")
        sent = {"Cookie": f"{name}={cookie.value}"}
        assert (await browser.ask("GET", f"{path}/api/session", **sent)).document["principal"]["name"] == "vera"
        [(taken, back)] = SimpleCookie(
            (await browser.ask("DELETE", f"{path}/api/session", **sent)).headers["Set-Cookie"]
        ).items()
        assert (taken, back.value, back["max-age"], back["path"]) == (name, "", "0", attributes["path"])


def test_a_browsers_name_is_made_fit_to_be_shown() -> None:
    """Control characters are taken out, and what is beyond 200 characters cut off."""
    assert agent_of("Mozilla/5.0\r\n\x1b[31m (X11)\udc80 ") == "Mozilla/5.0[31m (X11)"
    assert agent_of("x" * 1000) == "x" * 200
