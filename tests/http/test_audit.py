"""streamer.http.audit: who did what, for administrators."""

import pytest

from tests.http.entrance import ADMIN, OPERATOR, VIEWER, run_entrance


async def test_what_was_done_is_found_by_who_what_and_when() -> None:
    """The newest first, each with address and outcome."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        began = entrance.wall()
        async with entrance.browser("anna") as anna, entrance.browser() as browser:
            entrance.wall.advance(10)
            await browser.sign_in("vera", "wrong")
            await anna.ask("PATCH", "/api/users/vera", {"role": "operator"})
            entrance.wall.advance(10)
            await anna.ask("DELETE", "/api/users/vera")
            said = await anna.ask("GET", "/api/audit")
            assert [each["what"] for each in said.document["deeds"]] == [
                "user remove",
                "user change",
                "sign in",
                "sign in",
            ]
            assert said.document["deeds"][1] == {
                "at": began + 10,
                "who": "anna",
                "what": "user change",
                "target": "vera",
                "address": "127.0.0.1",
                "ok": True,
                "detail": "operator, porch",
            }
            for query, found in (
                ("who=anna", ["user remove", "user change", "sign in"]),
                ("what=user", ["user remove", "user change"]),
                ("what=user remove", ["user remove"]),
                (f"from={began + 10}&to={began + 20}", ["user change", "sign in"]),
                ("limit=1", ["user remove"]),
                ("who=nobody&what=sign in", ["sign in"]),
            ):
                said = await anna.ask("GET", f"/api/audit?{query}")
                assert [each["what"] for each in said.document["deeds"]] == found, query


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "limit: "),
        ("limit=many", "limit: "),
        ("from=yesterday", "from: 'yesterday' is not allowed"),
        ("from=nan", "from: "),
        ("whom=anna", "whom: unknown key; allowed here are"),
    ],
)
async def test_what_cannot_be_searched_for_is_said(query: str, words: str) -> None:
    """400, which word, and what is allowed."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN)
        async with entrance.browser("anna") as anna:
            said = await anna.ask("GET", f"/api/audit?{query}")
            assert (said.status, words in said.detail) == (400, True), said.text


async def test_the_audit_is_for_administrators() -> None:
    """It tells where everybody is."""
    async with run_entrance() as entrance:
        await entrance.add(OPERATOR)
        async with entrance.browser("otto") as otto, entrance.browser() as nobody:
            assert (await otto.ask("GET", "/api/audit")).status == 403
            assert (await nobody.ask("GET", "/api/audit")).status == 401
