"""streamer.http.oidc and sign_on: signing in elsewhere and the way back, against a provider that says anything."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from streamer.access.accounts import User
from streamer.access.action import Role
from streamer.access.pending import LASTS
from streamer.http.sign_on import _LOCAL
from tests.access.issuer import CLIENT_ID, Issuer, claims, run_issuer, signed
from tests.http.test_listener import Port, run_port

BEGIN = "/api/sign-in/oidc"
BACK = f"{BEGIN}/callback"
PAGE = {"Accept": "text/html,application/xhtml+xml"}


class Guest:
    """A browser, at a service whose provider is a test's."""

    def __init__(self, port: Port, issuer: Issuer, client: aiohttp.ClientSession) -> None:
        self.port, self.issuer, self.client = port, issuer, client
        self.url = f"http://127.0.0.1:{port.number}"

    async def get(self, path: str, **headers: str) -> tuple[int, Any, str]:
        """Status, headers and text of an answer; redirects are not followed."""
        async with self.client.get(self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.text()

    async def refusal(self, path: str) -> tuple[int, str]:
        """Status and sentence of one."""
        status, _, text = await self.get(path)
        return status, json.loads(text)["detail"]

    async def begin(self, **query: str) -> dict[str, str]:
        """Begin; gives what is asked of the provider."""
        status, headers, _ = await self.get(str(URL(BEGIN).with_query(query)))
        assert status == 303
        assert headers["Location"].startswith(f"{self.issuer.url}/authorize?")
        return {key: value for key, [value] in parse_qs(urlsplit(headers["Location"]).query).items()}

    async def way_back(self, token: str | None = None, **other: object) -> str:
        """Begin, and be let in there; gives the path one is sent back to. None of it is used yet."""
        asked = await self.begin()
        said = claims(self.issuer.url, asked["nonce"], **{"preferred_username": "anna", "groups": ["cameras"], **other})
        self.issuer.tokens = {"id_token": signed(said) if token is None else token}
        return str(URL(BACK).with_query(code="c0de", state=asked["state"]))

    async def who(self) -> tuple[str, str]:
        """As whom the browser is known."""
        _, _, text = await self.get("/api/session")
        principal = json.loads(text)["principal"]
        return principal["kind"], principal["name"]


@asynccontextmanager
async def run_guest(server: dict[str, Any] | None = None, **oidc: object) -> AsyncIterator[Guest]:
    """Run all three, for as long as the block lasts."""
    async with run_issuer() as issuer:
        access = {
            "groups": {"cameras": {"role": "viewer", "streams": ["road"]}},
            "oidc": {"issuer": issuer.url, "client_id": CLIENT_ID, "name": "Campus", **oidc},
        }
        async with (
            run_port(access=access, **(server or {})) as port,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client,
        ):
            yield Guest(port, issuer, client)


@pytest.fixture
async def guest() -> AsyncIterator[Guest]:
    """Give a browser."""
    async with run_guest() as guest:
        yield guest


async def test_who_comes_back_is_signed_in_and_led_on(guest: Guest) -> None:
    """The answer is a page that goes on by itself to where he wanted, and the session has what his group gives."""
    asked = await guest.begin(return_to="/?stream=road&a=';#x")
    assert asked["redirect_uri"] == f"{guest.url}{BACK}"
    guest.issuer.tokens = {
        "id_token": signed(claims(guest.issuer.url, asked["nonce"], preferred_username="anna", groups=["cameras"]))
    }
    status, headers, text = await guest.get(str(URL(BACK).with_query(code="c", state=asked["state"])), **PAGE)
    assert (status, headers.getall("Set-Cookie")[0].partition("=")[0]) == (200, "sightline")
    assert "SameSite=Strict" in headers["Set-Cookie"]
    assert '<meta http-equiv="refresh" content="0; url=/?stream=road&amp;a=&#x27;;#x">' in text
    assert "You are Campus/anna." in text
    assert headers["Cache-Control"] == "no-store"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert await guest.who() == ("user", "Campus/anna")


@pytest.mark.parametrize(
    ("other", "status", "says"),
    [
        ({"nonce": "another"}, 502, "another sign-in"),
        ({"aud": "another"}, 502, "another client"),
        ({"iss": "https://evil.example"}, 502, "another issuer"),
        ({"exp": 1}, 502, "expired"),
        ({"groups": []}, 403, "in none of the groups"),
        ({"groups": ["Cameras", "cameras "]}, 403, "in none of the groups"),
        ({"token": "e30.e30."}, 502, "signed otherwise"),
    ],
)
async def test_what_cannot_be_believed_lets_nobody_in(
    guest: Guest, other: dict[str, Any], status: int, says: str
) -> None:
    """Nor does a second try with the same: a sentence, no session, and a line in the audit."""
    back = await guest.way_back(**other)
    told, sentence = await guest.refusal(back)
    assert (told, says in sentence) == (status, True), sentence
    assert await guest.who() == ("nobody", "nobody")
    deeds, _ = await guest.port.service.entrance.audit.search(what="sign in")
    assert [(deed.ok, deed.target) for deed in deeds] == [(False, "" if status == 502 else "Campus/anna")]
    assert "was ended already" in (await guest.refusal(back))[1]


async def test_a_way_back_is_gone_once_and_in_time(guest: Guest) -> None:
    """Another state, a second use, another browser and eleven minutes are refused before the provider is asked."""
    back = await guest.way_back()
    assert (await guest.get(back))[0] == 200
    assert (await guest.refusal(back))[0] == 400
    back = await guest.way_back()
    status, sentence = await guest.refusal(str(URL(back).update_query(state="another")))
    assert (status, "not begun here" in sentence) == (400, True)
    async with aiohttp.ClientSession() as other:
        assert "another browser" in (await Guest(guest.port, guest.issuer, other).refusal(back))[1]
    guest.port.clock.advance(LASTS)
    assert "longer than ten minutes" in (await guest.refusal(back))[1]
    assert guest.issuer.asked.count("/token") == 1


async def test_two_tabs_of_a_browser_are_both_let_in(guest: Guest) -> None:
    """A second sign-in does not make the browser forget the first."""
    first, second = await guest.way_back(), await guest.way_back()
    assert (await guest.get(second))[0] == 200
    guest.issuer.tokens["id_token"] = "x"
    assert "is no token" in (await guest.refusal(first))[1]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"error": "access_denied", "error_description": "<b>"}, 403, "Campus did not let you in: access_denied"),
        ({"error": "<script>"}, 403, "without a reason"),
        ({}, 400, "no code"),
        ({"code": ""}, 400, "no code"),
        ({"code": "c" * 5000}, 400, "no code"),
    ],
)
async def test_a_provider_that_lets_nobody_in_is_quoted_with_care(
    guest: Guest, query: dict[str, str], status: int, says: str
) -> None:
    """Its word is shown, and nothing that anybody may have written behind it: not as JSON, and not on the page."""
    for headers in ({}, PAGE):
        state = (await guest.begin())["state"]
        told, _, text = await guest.get(str(URL(BACK).with_query(state=state, **query)), **headers)
        assert told == status
        assert says in text
        assert "<b>" not in text
        assert "<script>" not in text


async def test_nobody_there_is_a_user_of_ours(guest: Guest) -> None:
    """An administrator anna of our own and an anna of the provider have nothing in common."""
    store = guest.port.service.entrance.store
    await store.change(lambda accounts: accounts.with_user(User("anna", Role.ADMIN)))
    assert (await guest.get(await guest.way_back()))[0] == 200
    assert (await guest.get("/api/users"))[0] == 403
    body = {"old": "12345678", "new": "87654321"}
    async with guest.client.put(f"{guest.url}/api/session/password", json=body) as answer:
        assert answer.status == 409
    await store.change(lambda accounts: accounts.without_user("anna"))
    assert await guest.who() == ("user", "Campus/anna")
    await store.change(lambda accounts: accounts.signed_out("Campus/anna"))
    assert await guest.who() == ("nobody", "nobody")


async def test_without_a_group_a_default_role_lets_in() -> None:
    """Where it is configured; who is in a group has that one's rights and no others."""
    async with run_guest(default_role="operator") as guest:
        assert (await guest.get(await guest.way_back(groups=[])))[0] == 200
        _, _, text = await guest.get("/api/session")
        assert json.loads(text)["principal"]["actions"] == ["operate", "publish", "view"]
        await guest.get(await guest.way_back())
        _, _, text = await guest.get("/api/session")
        assert json.loads(text)["principal"]["streams"] == ["road"]


@pytest.mark.parametrize(
    ("headers", "trusted", "origin"),
    [
        ({}, True, "http://127.0.0.1:{port}"),
        ({"Host": "cameras.example.org"}, True, "http://cameras.example.org"),
        (
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cameras.example.org"},
            True,
            "https://cameras.example.org",
        ),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cameras.example.org"}, False, "http://127.0.0.1:{port}"),
        ({"X-Forwarded-Host": "evil.example, cameras.example.org"}, True, "http://cameras.example.org"),
        ({"X-Forwarded-Host": "cameras.example.org, evil.example"}, True, None),
    ],
)
async def test_the_provider_is_told_where_browsers_find_us(
    headers: dict[str, str], trusted: bool, origin: str | None
) -> None:
    """As a proxy of ours says it, by a name of ours, in the folder they find us in."""
    server = {
        "names": ["cameras.example.org"],
        "base_path": "/sightline",
        "trusted_proxies": ["127.0.0.1"] if trusted else [],
    }
    async with run_guest(server) as guest:
        status, answered, text = await guest.get(BEGIN, **headers)
        if origin is None:
            assert (status, "evil.example" in text) == (421, True)
            return
        [uri] = parse_qs(urlsplit(answered["Location"]).query)["redirect_uri"]
        assert uri == f"{origin.format(port=guest.port.number)}/sightline{BACK}"
        cookie = answered["Set-Cookie"]
        secure = origin.startswith("https:")
        assert cookie.startswith("__Secure-sightline-sign-in=" if secure else "sightline-sign-in=")
        assert ("; Secure" in cookie) == secure
        assert {"HttpOnly", "SameSite=Lax", "Path=/sightline", "Max-Age=600"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "evil.example",
        "",
        "/\t/evil",
        "javascript:alert(1)",
        "/a\r\nX: y",
        "/<script>",
        '/"',
        "/" + "a" * 600,
    ],
)
async def test_nobody_is_led_away(guest: Guest, return_to: str) -> None:
    """Where one wants to be at the end is a path of ours, or nothing is begun."""
    status, sentence = await guest.refusal(str(URL(BEGIN).with_query(return_to=return_to)))
    assert (status, sentence) == (400, "return_to: must be a path of this service, such as /")


@given(st.from_regex(_LOCAL, fullmatch=True) | st.text("/\\.:@?#%a\t ", max_size=12))
def test_whatever_path_is_taken_it_stays_here(path: str) -> None:
    """What passes leads to the same host, and no markup can be made of it."""
    if _LOCAL.fullmatch(path):
        assert URL("https://cameras.example.org/x").join(URL(path)).origin() == URL("https://cameras.example.org")
        assert path.isascii()
        assert not set(path) & set('<>"\\ \t\r\n')


async def test_the_way_out_of_the_provider_is_its_own(guest: Guest) -> None:
    """Where it has a page for it browsers are sent there; else a sentence."""
    assert await guest.refusal(f"{BEGIN}/sign-out") == (404, "Campus has no page to sign out")
    guest.issuer.metadata["end_session_endpoint"] = f"{guest.issuer.url}/out"
    guest.port.clock.advance(4000.0)
    status, headers, _ = await guest.get(f"{BEGIN}/sign-out")
    assert (status, headers["Location"]) == (303, f"{guest.issuer.url}/out?client_id={CLIENT_ID}")


async def test_where_nobody_signs_in_elsewhere_there_is_nothing() -> None:
    """Without `access.oidc` each of its paths says so."""
    async with run_port(access={"anonymous": ["view"]}) as port, aiohttp.ClientSession() as client:
        for path in (BEGIN, BACK, f"{BEGIN}/sign-out"):
            async with client.get(f"http://127.0.0.1:{port.number}{path}") as answer:
                assert answer.status == 404
                assert "access.oidc is not configured" in (await answer.json())["detail"]
