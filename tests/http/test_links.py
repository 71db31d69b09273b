"""streamer.http.links: an address that leads to one picture, made by who may see it."""

from urllib.parse import quote

import pytest

from streamer.access.action import Action
from streamer.access.gate import GateRules
from streamer.access.link import sealed
from streamer.http.trusted_proxies import TrustedProxies
from tests.http.entrance import ADMIN, VIEWER, Browser, run_entrance

PATH = "/api/streams/porch/frame.jpg"


async def link(browser: Browser, path: str = PATH, seconds: int = 60) -> str:
    """Have a link made."""
    said = await browser.ask("POST", "/api/links", {"path": path, "seconds": seconds})
    assert said.status == 201, said.text
    return str(said.document["url"])


async def test_a_link_shows_its_picture_to_who_has_nothing_else() -> None:
    """For as long as it was made for, and while its maker may see the stream."""
    async with run_entrance("porch") as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with entrance.browser("vera") as vera, entrance.browser("anna") as anna, entrance.browser() as panel:
            url = await link(vera)
            assert url.startswith(f"{PATH}?until=")
            said = await panel.ask("GET", url)
            assert (said.status, said.text) == (200, "a picture of porch")
            assert await panel.who() == ("nobody", "nobody")
            await anna.ask("PATCH", "/api/users/vera", {"streams": ["yard"]})
            assert (await panel.ask("GET", url)).status == 401
            await anna.ask("PATCH", "/api/users/vera", {"streams": ["p*"]})
            assert (await panel.ask("GET", url)).status == 200
            entrance.wall.advance(60)
            assert (await panel.ask("GET", url)).status == 401
        assert ("vera", "link make", "porch", True) in entrance.audit.told
        assert "signature" not in repr(entrance.audit.deeds)


async def test_a_link_leads_to_nothing_else() -> None:
    """Its seal on another path or stream, or with a word changed, is no seal; nor is it one for a change."""
    async with run_entrance("porch", "yard") as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna, entrance.browser() as panel:
            url = await link(anna)
            seal = url.partition("?")[2]
            for path in (
                "/api/streams/yard/frame.jpg",
                "/api/streams/porch",
                "/api/streams/porch%2Fframe.jpg",
                "/api/users",
                "/api/audit",
            ):
                assert (await panel.ask("GET", f"{path}?{seal}")).status in (401, 404), path
            assert (await panel.ask("POST", f"/api/links?{seal}", {"path": PATH, "seconds": 9})).status == 401
            assert (await panel.ask("DELETE", url)).status == 405
            for was, becomes in (("by=anna", "by=otto"), ("until=1", "until=2"), ("signature=", "signature=0")):
                assert (await panel.ask("GET", url.replace(was, becomes))).status == 401


async def test_links_lead_only_where_their_maker_sees() -> None:
    """A stream he may not see is answered as one that is not there, in the same words."""
    async with run_entrance("porch", "yard") as entrance:
        await entrance.add(VIEWER)
        async with entrance.browser("vera") as vera, entrance.browser() as nobody:
            said = [
                await vera.ask("POST", "/api/links", {"path": f"/api/streams/{name}/frame.jpg", "seconds": 60})
                for name in ("yard", "attic")
            ]
            assert [each.status for each in said] == [404, 404]
            assert said[0].text == said[1].text
            assert "yard" not in said[0].text
            assert (await nobody.ask("POST", "/api/links", {"path": PATH, "seconds": 60})).status == 401


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"path": "/api/users", "seconds": 60}, "path: no link leads there"),
        ({"path": "/api/streams/porch/events", "seconds": 60}, "path: no link leads there"),
        ({"path": f"http://evil.example{PATH}", "seconds": 60}, "path: no link leads there"),
        ({"path": PATH, "seconds": 86_401}, "seconds: 86401 is not allowed; it must be less than or equal to 86400"),
        ({"path": PATH, "seconds": 0}, "seconds: 0 is not allowed"),
        ({"path": PATH, "seconds": 1.5}, "seconds: 1.5 is not allowed"),
        ({"path": PATH}, "seconds: is missing"),
    ],
)
async def test_what_no_link_leads_to_is_refused_in_a_sentence(document: dict[str, object], words: str) -> None:
    """422, says which key and what is allowed."""
    async with run_entrance("porch") as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna:
            said = await anna.ask("POST", "/api/links", document)
            assert (said.status, words in said.detail) == (422, True), said.text


async def test_a_tokens_link_ends_with_it() -> None:
    """A program makes links for what it may see."""
    async with run_entrance("porch") as entrance:
        secret = await entrance.add_token(Action.VIEW)
        async with entrance.program(secret) as program, entrance.browser() as panel:
            url = await link(program, seconds=86_400)
            assert (await panel.ask("GET", url)).status == 200
            await entrance.store.change(lambda accounts: accounts.without_token("1d"))
            assert (await panel.ask("GET", url)).status == 401


async def test_where_nobody_is_asked_links_are_made_too_and_end_with_that() -> None:
    """A link made while the service was open is nobody's, once it asks."""
    async with run_entrance("porch", rules=GateRules(is_open=True)) as entrance, entrance.browser() as browser:
        url = await link(browser)
        assert (await browser.ask("GET", url)).status == 200
        await entrance.add(ADMIN)
        assert (await browser.ask("GET", url)).status == 401


async def test_below_a_folder_links_are_of_that_folder() -> None:
    """They work there, and where a proxy takes the folder away; a path is taken with the folder or without."""
    async with run_entrance("porch", proxies=TrustedProxies((), "/cams")) as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser() as panel:
            signed_in = await panel.sign_in("anna")
            cookie = {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
            for path in (PATH, f"/cams{PATH}"):
                said = await panel.ask("POST", "/cams/api/links", {"path": path, "seconds": 60}, **cookie)
                url = said.document["url"]
                assert url.startswith(f"/cams{PATH}?")
                assert (await panel.ask("GET", url)).status == 200
                assert (await panel.ask("GET", url.removeprefix("/cams"))).status == 200


async def test_a_seal_is_no_matter_of_letters() -> None:
    """What stands in a seal may be anything, and opens nothing."""
    async with run_entrance("porch") as entrance, entrance.browser() as panel:
        await entrance.add(ADMIN)
        good = sealed(PATH, int(entrance.wall()) + 60, "anna", "ab" * 32)
        for until, by, signature in (
            ("x", "anna", "y"),
            ("-1", "anna", "y"),
            ("9" * 400, "anna", "y"),
            ("\u0663", "anna", "y"),
            (str(good.until), "anna", good.signature),
            (str(good.until), "anna", "é"),
            (str(good.until), "\udc80", "\udc80"),
        ):
            query = "&".join(
                f"{key}={quote(value, errors='surrogateescape')}"
                for key, value in (("until", until), ("by", by), ("signature", signature))
            )
            assert (await panel.ask("GET", f"{PATH}?{query}")).status == 401, query
