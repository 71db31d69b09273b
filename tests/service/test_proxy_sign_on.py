"""People whom a real proxy signs in: nginx that asks an authenticator, as docs/proxy.md has it."""

import json
from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.access.issuer import answering
from tests.peers.nginx import run_nginx
from tests.peers.process import free_port
from tests.peers.service import Answer, Service, run_service

FORWARD_AUTH = """
location / {{
  auth_request /authenticate;
  auth_request_set $user $upstream_http_remote_user;
  auth_request_set $groups $upstream_http_remote_groups;
  proxy_set_header Remote-User $user;
  proxy_set_header Remote-Groups $groups;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_bind 127.0.0.2;
  proxy_pass http://127.0.0.1:{service};
}}
location = /authenticate {{
  internal;
  proxy_pass http://127.0.0.1:{authenticator};
  proxy_pass_request_body off;
  proxy_set_header Content-Length "";
}}
"""
PASSES_ALL = "location / {{ proxy_bind 127.0.0.2; proxy_pass http://127.0.0.1:{service}; }}"
USERS = {"anna": "staff,admins", "otto": "staff", "Änne": ""}
FORGED = {"Remote-User": "root", "Remote-Groups": "admins"}


async def _authenticate(request: web.Request) -> web.Response:
    """Knows people by a cookie that holds their name."""
    name = request.cookies.get("name", "")
    if name not in USERS:
        return web.Response(status=401)
    return web.Response(headers={"Remote-User": name, "Remote-Groups": USERS[name]})


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Run a service that takes the word of 127.0.0.2."""
    config = {
        "server": {"trusted_proxies": ["127.0.0.2"]},
        "serving": {"address": f"127.0.0.1:{free_port()}"},
        "access": {"proxy": {"default_role": "viewer"}, "groups": {"admins": "admin"}},
    }
    with run_service(config) as service:
        yield service


def who(answer: Answer) -> tuple[str, str, set[str]]:
    """As whom somebody is known, and what he may."""
    principal = json.loads(answer.body)["principal"]
    return principal["kind"], principal["name"], set(principal["actions"])


async def ask(service: Service, server: str, **headers: str) -> Answer:
    """Ask who one is, through an nginx of this configuration."""
    number = int(service.url.rpartition(":")[2])
    async with answering(_authenticate, free_port()) as authenticator:
        with run_nginx(server.format(service=number, authenticator=authenticator.rpartition(":")[2])) as port:
            through = Service(service.process, f"http://127.0.0.1:{port}", service.path)
            return await through.ask("/api/session", headers=headers)


async def test_who_signs_in_there_is_known_here(service: Service) -> None:
    """With the rights of his groups, or with the default; what he writes there himself the proxy replaces."""
    admin = {"view", "publish", "operate", "administer", "metrics"}
    assert who(await ask(service, FORWARD_AUTH, Cookie="name=anna")) == ("proxy", "anna", admin)
    assert who(await ask(service, FORWARD_AUTH, Cookie="name=otto", **FORGED)) == ("proxy", "otto", {"view"})


async def test_whom_the_proxy_does_not_let_in_it_does_not_ask_for(service: Service) -> None:
    """Nor does it help to write what it would have written."""
    assert (await ask(service, FORWARD_AUTH, **FORGED)).status == 401


async def test_past_the_proxy_the_headers_are_nobodys_word(service: Service) -> None:
    """Directly asked, by whomever and for whomever, they name nobody."""
    for more in ({}, {"X-Forwarded-For": "127.0.0.2"}):
        assert who(await service.ask("/api/session", headers=FORGED | more)) == ("nobody", "nobody", set())


async def test_a_proxy_that_does_not_strip_them_is_believed(service: Service) -> None:
    """That is why it must: what a stranger writes comes from it then. So docs/proxy.md has every proxy set both."""
    assert who(await ask(service, PASSES_ALL, **FORGED))[1] == "root"
