"""What each route needs of who asks it: an action and, where it is about one, the stream. One middleware decides.

A route that says nothing is answered to nobody: what was forgotten must not stand open.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from aiohttp import web

from streamer.access.action import Action
from streamer.access.caller import Caller
from streamer.access.credential import Credential
from streamer.access.gate import Gate
from streamer.access.principal import Principal

GATE: web.AppKey[Gate] = web.AppKey("gate", Gate)
PRINCIPAL = web.RequestKey("principal", Principal)
"""Who asks; there from the gate on."""
CREDENTIAL = web.RequestKey("credential", Credential)
"""What he showed, for whatever goes on after its request."""
PASSED = web.RequestKey("passed", Caller)
"""Whom another replica of the cluster asks for; there from the beginning, where one does."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one route needs."""

    action: Action | None
    """None: it is open to anybody."""
    stream: str | None = None
    """The variable in its path that names a stream; None: it is about none, or about all that one may see."""
    at_owner: bool = False
    """Whether it is answered in a cluster by the replica that runs the stream, whichever is asked."""


class _Handler(Protocol):
    def __call__(self, request: web.Request, /) -> Awaitable[web.StreamResponse]: ...


H = TypeVar("H", bound=_Handler)

_NEEDS: dict[object, Need] = {}


def needs(action: Action | None, stream: str | None = None, *, at_owner: bool = False) -> Callable[[H], H]:
    """Say what a handler needs; stands below its route."""

    def noted(handler: H) -> H:
        _NEEDS[handler] = Need(action, stream, at_owner)
        return handler

    return noted


def token_helps(request: web.Request, action: Action) -> bool:
    """Whether who asks may not do this, and would with a token that the configuration names."""
    return bool(request.app[GATE].keys_to(action)) and not request[PRINCIPAL].may(action)


def need_of(handler: object) -> Need | None:
    """What a route's handler needs; None: it never said."""
    return _NEEDS.get(handler)


def shown_by(request: web.Request) -> tuple[Credential, Principal]:
    """What a request showed, and who that was."""
    return request[CREDENTIAL], request[PRINCIPAL]
