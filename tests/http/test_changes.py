"""streamer.http.changes: what is begun is done and written down, whoever still waits for it."""

import asyncio
import threading

import pytest

from streamer.access.store import Edit
from tests.http.entrance import ADMIN, VIEWER, Entrance, run_entrance
from tests.peers.until import until


class Slow:
    """A disk that takes until it is let go."""

    def __init__(self, entrance: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()
        change = entrance.store.change

        def slow(edit: Edit) -> Edit:
            def slowly(accounts):  # type: ignore[no-untyped-def]
                self.begun.set()
                self.let_go.wait()
                return edit(accounts)

            return slowly

        monkeypatch.setattr(entrance.store, "change", lambda edit: change(slow(edit)))


async def test_who_hangs_up_changes_nothing_in_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change whose client has gone is made, and is in the audit as if he had waited."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with entrance.browser("anna") as anna:
            slow = Slow(entrance, monkeypatch)
            asking = asyncio.create_task(anna.ask("DELETE", "/api/users/vera"))
            await until(slow.begun.is_set)
            asking.cancel()
            await asyncio.wait([asking])
        slow.let_go.set()
        await until(lambda: "vera" not in entrance.store.accounts.users)
        await until(lambda: ("anna", "user remove", "vera", True) in entrance.audit.told)


async def test_what_has_begun_is_waited_for_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service does not stop between a change and its being written down."""
    async with run_entrance() as entrance:
        await entrance.add(ADMIN, VIEWER)
        async with entrance.browser("anna") as anna:
            slow = Slow(entrance, monkeypatch)
            asking = asyncio.create_task(anna.ask("DELETE", "/api/users/vera"))
            await until(slow.begun.is_set)
            asking.cancel()
            await asyncio.wait([asking])
        asyncio.get_running_loop().call_later(0.05, slow.let_go.set)
    assert ("anna", "user remove", "vera", True) in entrance.audit.told
