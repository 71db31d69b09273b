"""`/api/outlets`: how telling goes, letters that were given up, and a test; for who operates every stream."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from streamer.access.action import Action
from streamer.archive.alerts.letter import Letter, Queue
from streamer.archive.alerts.stored_outbox import StoredOutbox
from streamer.http.alert_rights import require_everywhere
from streamer.http.alerts import AWAY, rounded
from streamer.http.audit import note
from streamer.http.bodies.body import read_query
from streamer.http.bodies.event import ShownEvent
from streamer.http.bodies.outlet import (
    ChosenLetters,
    DeadLetters,
    LettersDone,
    LetterSearch,
    LettersNamed,
    ShownLetter,
    ShownOutlet,
    ShownOutlets,
    TriedOutlet,
)
from streamer.http.changes import whole
from streamer.http.elsewhere import ELSEWHERE
from streamer.http.json_body import FITS, answer, body_of
from streamer.http.kept_events import ARCHIVE
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import described
from streamer.outlets.sender import Undelivered
from streamer.values.errors import Refused
from streamer.values.name import NAME
from streamer.values.outlet import OutletState
from streamer.values.replica import Replica

PATIENCE = 15.0
"""Seconds that a test may take; a webhook is given up after ten."""

routes = web.RouteTableDef()

LIST = "/api/outlets"
ONE = f"{LIST}/{{outlet:{NAME}}}"


class Outlets(Protocol):
    """What is asked of all senders."""

    def states(self) -> Sequence[OutletState]:
        """Each one's."""

    async def test(self, outlet: str) -> None:
        """Tell one something that means nothing.

        Raises:
            KeyError: there is no such outlet.
            Undelivered: why it was not told.
        """


OUTLETS: web.AppKey[Outlets] = web.AppKey("outlets")


@routes.get(LIST)
@needs(Action.OPERATE)
@described({200: ShownOutlets})
async def list_outlets(request: web.Request) -> web.Response:
    """Whom alerts are told, and how that goes."""
    _require(request)
    queues, states = _outbox(request).queues, {state.name: state for state in request.app[OUTLETS].states()}
    leases = request.app[ARCHIVE].leases
    by = {name: None if leases is None else leases.who(name) for name in states}
    found = [_shown(state, queues.get(name, Queue()), by[name]) for name, state in states.items()]
    found += [_gone(name, queue) for name, queue in queues.items() if name not in states and queue.waiting + queue.dead]
    return answer(ShownOutlets(outlets=tuple(sorted(found, key=lambda each: each.name.casefold()))))


@routes.post(f"{ONE}/test")
@needs(Action.OPERATE)
@described({200: TriedOutlet, 503: "it is being tried already"})
async def test(request: web.Request) -> web.StreamResponse:
    """Tell an outlet that this is a test, past all that waits, and say what came of it."""
    name = _named(request)
    if (teller := _teller(request, name)) is not None:
        return await request.app[ELSEWHERE].pass_to(request, teller)
    trying = _tried(request.app[OUTLETS], name)
    why = await whole(request, trying, lambda why: note(request, "outlet test", name, ok=why is None, detail=why or ""))
    return answer(TriedOutlet(outcome="failed" if why else "sent", detail=why))


@routes.get(f"{ONE}/dead")
@needs(Action.OPERATE)
@described({200: DeadLetters, 400: "a word of the query is none", **AWAY}, query=LetterSearch)
async def dead(request: web.Request) -> web.Response:
    """Letters that were given up, the last of them first."""
    name, asked = _named(request, gone=True), read_query(LetterSearch, request.query)
    found = await _outbox(request).dead_letters(name, before=asked.cursor, limit=asked.limit)
    cursor = found[-1].notification.number if len(found) == asked.limit else None
    letters = tuple(_letter(letter, request[PRINCIPAL].sees(letter.notification.stream)) for letter in found)
    return answer(DeadLetters(letters=letters, cursor=cursor))


@routes.post(f"{ONE}/dead/resend")
@needs(Action.OPERATE)
@described({200: LettersDone, **FITS, **AWAY}, body=ChosenLetters)
async def resend(request: web.Request) -> web.Response:
    """Have letters that were given up sent again, behind all that waits."""
    name, chosen = _named(request), await body_of(request, ChosenLetters)
    count = await whole(
        request,
        _outbox(request).resend(name, chosen.ids),
        lambda count: note(request, "outlet resend", name, detail=f"{count} letters"),
    )
    return answer(LettersDone(count=count))


@routes.delete(f"{ONE}/dead")
@needs(Action.OPERATE)
@described({200: LettersDone, 400: "a word of the query is none", **AWAY}, query=LettersNamed)
async def discard(request: web.Request) -> web.Response:
    """Let go of letters that were given up."""
    name, named = _named(request, gone=True), read_query(LettersNamed, request.query)
    count = await whole(
        request,
        _outbox(request).discard(name, None if named.ids is None else named.ids.split(",")),
        lambda count: note(request, "outlet discard", name, detail=f"{count} letters"),
    )
    return answer(LettersDone(count=count))


# ---- what they have in common


def set_up(app: web.Application, outlets: Outlets) -> None:
    """Answer for these."""
    app[OUTLETS] = outlets


def _outbox(request: web.Request) -> StoredOutbox:
    return request.app[ARCHIVE].outbox


def _require(request: web.Request) -> None:
    require_everywhere(request, "an outlet is told of all streams, so this")


def _named(request: web.Request, *, gone: bool = False) -> str:
    """The outlet that a request of whoever may names; `gone`: one that is no more will do."""
    _require(request)
    name, known = request.match_info["outlet"], sorted(state.name for state in request.app[OUTLETS].states())
    if name not in known and not (gone and name in _outbox(request).queues):
        raise Refused(404, f"there is no outlet {name!r}; there are: {', '.join(known) or 'none'}")
    return name


def _teller(request: web.Request, outlet: str) -> Replica | None:
    """Another replica, which alone can test it; None: we can. A broker is held by one at a time, a webhook by none."""
    kinds, leases = {state.name: state.kind for state in request.app[OUTLETS].states()}, request.app[ARCHIVE].leases
    if leases is None or ELSEWHERE not in request.app or kinds[outlet] != "mqtt" or leases.has(outlet):
        return None
    who = leases.who(outlet)
    return None if who is None else request.app[ELSEWHERE].replica(who)


async def _tried(outlets: Outlets, name: str) -> str | None:
    """Why a test failed; None: it did not."""
    try:
        async with asyncio.timeout(PATIENCE):
            await outlets.test(name)
    except Undelivered as error:
        return str(error)
    except TimeoutError:
        return f"nothing came of it within {PATIENCE:g} s"
    except KeyError:
        raise Refused(404, f"the outlet {name!r} is no more") from None
    return None


def _shown(state: OutletState, queue: Queue, replica: str | None) -> ShownOutlet:
    has_tried = state.sent or state.retried or state.dead
    return ShownOutlet(
        name=state.name,
        kind=state.kind,
        recipe=state.recipe or None,
        host=state.place,
        state="idle" if state.status == "ok" and not has_tried else state.status,
        sent=state.sent,
        retried=state.retried,
        waiting=queue.waiting,
        oldest_at=rounded(queue.oldest_at),
        dead=queue.dead,
        lost=queue.lost,
        last_sent_at=rounded(state.last_sent_at),
        failing_since=rounded(state.failing_since),
        why=state.error or None,
        replica=replica,
    )


def _gone(name: str, queue: Queue) -> ShownOutlet:
    """One that the configuration has no more, with letters that were to be told it."""
    return ShownOutlet(
        name=name,
        kind=None,
        recipe=None,
        host=None,
        state="gone",
        sent=0,
        retried=0,
        waiting=queue.waiting,
        oldest_at=rounded(queue.oldest_at),
        dead=queue.dead,
        lost=queue.lost,
        last_sent_at=None,
        failing_since=None,
        why="the configuration has no outlet of that name any more",
        replica=None,
    )


def _letter(letter: Letter, sees: bool) -> ShownLetter:
    said = letter.notification
    event = ShownEvent.model_validate(said.event, strict=False) if said.event and sees else None
    return ShownLetter(
        id=said.id,
        kind=said.kind,
        rule=said.rule,
        stream=said.stream,
        made_at=round(said.made_at, 3),
        died_at=rounded(letter.died_at),
        attempts=said.attempts,
        error=said.error,
        event=event,
    )
