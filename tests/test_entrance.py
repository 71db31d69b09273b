"""streamer.entrance: what the configuration says of who may what, as the gate takes it."""

from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest

from streamer import config
from streamer.access.accounts import User
from streamer.access.action import ACTIONS, Action, Role
from streamer.access.credential import NOTHING, Credential, LinkSeal, ProxyWord, digest
from streamer.access.link import target_of
from streamer.access.store import Store
from streamer.config.access import AccessSettings, RoleWord
from streamer.entrance import Entrance, rules
from streamer.service import Service
from streamer.values.clock import monotonic
from tests.peers.until import until


def entrance(document: dict[str, Any], path: Path | None = None) -> Entrance:
    """That of a service with this configuration."""
    return Entrance(config.parse(document), path, clock=monotonic, wall=lambda: 1000.0)


def test_the_configuration_knows_every_word() -> None:
    """Its roles are the roles, and what anybody may be given is every action but to administer."""
    words = get_args(get_args(AccessSettings.model_fields["anonymous"].annotation)[0])
    assert set(get_args(RoleWord)) == set(Role)
    assert set(words) == ACTIONS - {Action.ADMINISTER}


@pytest.mark.parametrize(
    ("host", "access", "is_open"),
    [("127.0.0.1", None, True), ("::1", None, True), ("0.0.0.0", None, False), ("127.0.0.1", {}, False)],
)
def test_only_loopback_without_a_section_is_open(host: str, access: dict[str, Any] | None, is_open: bool) -> None:
    """Writing the section, be it empty, asks everybody who he is."""
    document = {"server": {"host": host}} | ({} if access is None else {"access": access})
    assert entrance(document).gate.is_open == is_open
    assert entrance(document).gate.principal(NOTHING).may(Action.VIEW, "a") == is_open


def test_a_section_that_goes_opens_nothing_before_the_next_start() -> None:
    """A file that is half written may lack it; a section that comes closes the door at once."""
    closed: dict[str, Any] = {"access": {}}
    opened = config.parse({})
    door = entrance(closed)
    door.reconfigure(opened)
    assert not door.gate.is_open
    assert entrance({}).gate.is_open
    door = entrance({})
    door.reconfigure(config.parse(closed))
    assert not door.gate.is_open
    door.reconfigure(opened)
    assert not door.gate.is_open


def test_anonymous_is_what_anybody_may() -> None:
    """On every stream, and no more."""
    anybody = entrance({"access": {"anonymous": ["view", "metrics"]}}).gate.principal(NOTHING)
    assert anybody.actions == {Action.VIEW, Action.METRICS}
    assert anybody.sees("whatever")


@pytest.mark.parametrize(
    ("groups", "default", "may"),
    [
        (("cams",), None, {"line-1": {Action.VIEW}, "door": set()}),
        (("cams", "ops"), None, {"line-1": ACTIONS - {Action.ADMINISTER, Action.METRICS}}),
        (("others",), None, {"line-1": set()}),
        (("others",), "viewer", {"line-1": {Action.VIEW}}),
        (("cams",), "admin", {"line-1": {Action.VIEW}, "door": set()}),
    ],
)
def test_groups_are_roles(groups: tuple[str, ...], default: str | None, may: dict[str, set[Action]]) -> None:
    """Whom a proxy names may what his groups may, together; without one of them what the default role may."""
    gate = entrance(
        {
            "server": {"trusted_proxies": ["127.0.0.1"]},
            "access": {
                "groups": {"cams": {"role": "viewer", "streams": ["line-*"]}, "ops": "operator"},
                "proxy": {"default_role": default},
            },
        }
    ).gate
    assert (gate.rules.user_header, gate.rules.groups_header) == ("Remote-User", "Remote-Groups")
    anna = gate.principal(Credential(proxy=ProxyWord("anna", groups)))
    assert {stream: {action for action in ACTIONS if anna.may(action, stream)} for stream in may} == may


def test_tokens_of_the_configuration_have_a_scope() -> None:
    """`ingress.token` publishes, `api_streams.token` changes streams; one that is both does both."""
    document = {"ingress": {"token": "published"}, "api_streams": {"token": "operated"}, "access": {}}
    gate = entrance(document).gate
    assert gate.principal(Credential(token=digest("published"))).actions == {Action.PUBLISH}
    assert gate.principal(Credential(token=digest("operated"))).actions == {Action.VIEW, Action.OPERATE}
    both = entrance({"ingress": {"token": "the same one"}, "api_streams": {"token": "the same one"}, "access": {}}).gate
    assert both.principal(Credential(token=digest("the same one"))).actions == {
        Action.VIEW,
        Action.OPERATE,
        Action.PUBLISH,
    }


def test_rules_follow_the_configuration() -> None:
    """What is edited while the service runs decides from then on."""
    found = entrance({})
    found.reconfigure(config.parse({"access": {"anonymous": ["metrics"]}}))
    assert found.gate.principal(NOTHING).actions == {Action.METRICS}
    assert found.gate.rules == rules(config.parse({"access": {"anonymous": ["metrics"]}}))


async def test_a_webhooks_links_end_with_it(tmp_path: Path) -> None:
    """They open one stream's pictures, at a service that asks everybody, until the configuration names it no more."""
    webhooks = {"phone": {"url": "http://x.example", "picture": "link"}}
    said = {"access": {}, "archive": {}, "webhooks": webhooks, "server": {"public_url": "https://cam.example"}}
    door = entrance(said, tmp_path / "sightline.yaml")
    links = await door.picture_links("phone", "porch", "019ad000-0000-7000-8000-000000000001")
    assert links is not None
    image, thumbnail, until = links
    assert until == 1000 + 86_400
    assert [urlsplit(each).path.rpartition("/")[2] for each in (image, thumbnail)] == ["picture", "thumbnail"]
    query = {key: value for key, [value] in parse_qs(urlsplit(image).query).items()}
    path = target_of(urlsplit(image).path, query)
    shown = Credential(link=LinkSeal(path, int(query["until"]), query["by"], query["signature"]))
    assert door.gate.principal(shown).sees("porch")
    assert not door.gate.principal(shown).sees("yard")
    door.reconfigure(config.parse({**said, "webhooks": {}}))
    assert not door.gate.principal(shown).sees("porch")


async def test_the_first_user_closes_an_open_service(tmp_path: Path) -> None:
    """`sightline user add` beside a service on loopback that runs: from then on everybody is asked."""
    service = Service(config.parse({"serving": {"address": "127.0.0.1:9"}}), path=tmp_path / "sightline.yaml")
    gate = service.entrance.gate
    async with service.run():
        assert gate.principal(NOTHING).may(Action.VIEW, "a")
        Store(tmp_path / "sightline.access.json").change_now(lambda each: each.with_user(User("anna", Role.ADMIN)))
        await until(lambda: not gate.is_open)
        assert not gate.principal(NOTHING).may(Action.VIEW, "a")
