"""What lasts, and the end of permissions, as users meet them: the real service, and the file of users beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.access.accounts import Accounts
from streamer.access.action import Action, Role
from streamer.access.store import Store
from tests.http.guests import bearer, cookie, signed_in, with_token
from tests.peers.model_server import ModelServer
from tests.peers.rtc import take_answer
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Answer, Service, run_service, until
from tests.peers.whep_viewer import SDP, watch_whep
from tests.peers.whip_publisher import WhipPublisher

pytestmark = pytest.mark.timeout(300)

FRAGMENT = "application/trickle-ice-sdpfrag"


class House:
    """A service, and the file of its users as another process changes it."""

    def __init__(self, service: Service) -> None:
        self._store = Store(service.path.with_suffix(".access.json"))
        self.service = service
        self.admin = service.of(bearer("all"))

    def change(self, edit: Callable[[Accounts], Accounts]) -> None:
        """Change the file."""
        self._store.change_now(edit)

    async def let_in(self, edit: Callable[[Accounts], Accounts], guest: Service) -> None:
        """Change the file so that a guest may publish, and wait until he may."""
        self.change(edit)

        async def may() -> bool:
            return (await guest.ask("/whip/phone")).status == 204

        await until(may, lambda: f"nobody is let in:\n{self.service.process.output}")

    async def empty(self) -> None:
        """Wait until nobody watches, and nothing is published."""

        async def is_empty() -> bool:
            streams = (await self.admin.ask("/api/streams")).json()
            sessions = (await self.admin.metrics()).sum("sightline_sessions")
            return [stream["name"] for stream in streams] == ["road"] and sessions == 0

        await until(is_empty, lambda: f"somebody is still there:\n{self.service.process.output}")


@pytest.fixture(scope="module")
def house(model_server: ModelServer, numbered_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a service with one stream, where nobody may do anything without saying who he is."""
    folder = tmp_path_factory.mktemp("permissions")
    store = Store(folder / "sightline.access.json")
    store.change_now(lambda before: with_token(before, "all", *Action))
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        streams = {"road": {"url": camera.url("/road")}}
        with run_service(
            {"serving": model_server.settings, "streams": streams, "access": {}}, folder=folder
        ) as service:
            yield House(service)


@asynccontextmanager
async def publishing(guest: Service, name: str) -> AsyncIterator[tuple[WhipPublisher, Answer]]:
    """Publish for as long as the block lasts."""
    publisher = WhipPublisher()
    try:
        offer = await publisher.offer()
        answer = await guest.ask(f"/whip/{name}", method="POST", body=offer, content_type=SDP)
        assert answer.status == 201, answer
        await take_answer(publisher.pc, answer.body.decode())
        yield publisher, answer
    finally:
        await publisher.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.without_user("olga"),
        lambda accounts: accounts.signed_out("olga"),
        lambda accounts: accounts.with_user(replace(accounts.users["olga"], streams=("elsewhere",))),
    ],
    ids=["removed", "signed out", "other streams"],
)
async def test_what_a_user_began_ends_with_what_he_may(house: House, change: Callable[[Accounts], Accounts]) -> None:
    """Video by WHEP and MJPEG, events, and what he publishes by WHIP end when another process takes his rights."""
    olga = house.service.of(cookie("olga"))
    await house.let_in(lambda before: signed_in(before, "olga", Role.OPERATOR), olga)
    await olga.wait_for_state("road", "live")
    async with (
        watch_whep(olga, "road") as viewer,
        olga.open("/streams/road.mjpeg") as pictures,
        olga.open("/api/detections") as events,
        publishing(olga, "phone") as (publisher, _),
    ):
        await viewer.more(5)
        await olga.wait_for_state("phone", "live")
        assert (pictures.status, events.status) == (200, 200)
        house.change(change)
        await asyncio.gather(pictures.read(), events.read(), viewer.ended.wait())
        await until_closed(publisher)
    await house.empty()


async def test_a_demoted_operator_watches_and_publishes_no_more(house: House) -> None:
    """An operator who becomes a viewer loses what he publishes, and keeps what he watches."""
    olga = house.service.of(cookie("olga"))
    await house.let_in(lambda before: signed_in(before, "olga", Role.OPERATOR), olga)
    await olga.wait_for_state("road", "live")
    async with watch_whep(olga, "road") as viewer, publishing(olga, "phone") as (publisher, _):
        await olga.wait_for_state("phone", "live")
        house.change(lambda before: before.with_user(replace(before.users["olga"], role=Role.VIEWER)))
        await until_closed(publisher)
        await viewer.more(5)
        assert (await olga.ask(viewer.location, method="DELETE")).status == 200
    await house.empty()


async def test_a_session_is_changed_by_who_began_it(house: House) -> None:
    """To anybody else a session of WHEP or WHIP is one that is not there, whatever he may do."""
    olga = house.service.of(cookie("olga"))
    await house.let_in(lambda before: signed_in(before, "olga", Role.OPERATOR), olga)
    await olga.wait_for_state("road", "live")
    async with watch_whep(olga, "road") as viewer, publishing(olga, "phone") as (_, answer):
        for location, etag in ((viewer.location, viewer.etag), (answer.headers["Location"], answer.headers["ETag"])):
            for method in ("GET", "PATCH", "DELETE"):
                refused = await house.admin.ask(
                    location, method=method, body="a=ice-ufrag:x", content_type=FRAGMENT, headers={"If-Match": etag}
                )
                assert refused.status == 404
                assert "there is no such session" in refused.problem()
            assert (await olga.ask(location)).status == 204
            assert (await olga.ask(location, method="DELETE")).status == 200
    await house.empty()


async def until_closed(publisher: WhipPublisher) -> None:
    """Wait until the service has ended a publisher's connection."""

    async def closed() -> bool:
        return publisher.pc.connectionState == "closed"

    await until(closed, lambda: f"it is {publisher.pc.connectionState}")
