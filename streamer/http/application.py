"""The application: every route, and whatever each needs. docs/api.md describes each route.

What has no end is in feeds.py. Whoever asks must call us by a name of ours (names.py), and what changes something must
come from a page of ours or from no page (allowed_origins.py). The gate (gate.py) decides who may.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from aiohttp import web

from streamer.access.gate import Gate
from streamer.control.reload import Reload
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.doctor.practice import Practice
from streamer.http import (
    api_description,
    audit,
    changes,
    cluster,
    configuration,
    detect,
    doctor,
    feeds,
    links,
    no_archive,
    oidc,
    own_password,
    page,
    painted,
    place_counts,
    places,
    probes,
    published_app,
    session,
    sessions,
    tokens,
    users,
    video,
    whep,
    whip,
)
from streamer.http import streams as stream_routes
from streamer.http.access_keys import ACCESS, AccessParts
from streamer.http.admissions import ADMISSIONS, Admissions
from streamer.http.api_description import API_DESCRIPTION, ApiDescription
from streamer.http.bodies.session import SignInElsewhere
from streamer.http.callers import as_passed_on
from streamer.http.connection import connection_of
from streamer.http.detect import Draw
from streamer.http.events import Events
from streamer.http.gate import gate as let_through
from streamer.http.keys import EVENTS, METRICS, MODELS, PRACTICE, PROXIES, RELOAD, SIGNALLING, STREAM_CHANGES, STREAMS
from streamer.http.metrics import Metrics
from streamer.http.needs import GATE, PASSED
from streamer.http.problems import SHORTAGE, problems
from streamer.http.security_headers import SECURITY_HEADERS, add_headers
from streamer.http.session import SIGN_IN_ELSEWHERE
from streamer.http.shortage import Shortage
from streamer.http.sign_on import BEGIN, SIGN_ON, SignOn
from streamer.http.signalling import Signalling
from streamer.http.trusted_proxies import TrustedProxies
from streamer.inference.served_models import ServedModels
from streamer.webrtc import MAX_OFFER

if TYPE_CHECKING:
    from streamer.archive.archive import Archive
    from streamer.archive.recordings.renders import Renders
    from streamer.http.announcements import Announcements
    from streamer.http.forwarding.neighbours import Neighbours
    from streamer.http.outlets import Outlets

ROOMS = (
    api_description,
    audit,
    cluster,
    configuration,
    detect,
    doctor,
    feeds,
    links,
    oidc,
    own_password,
    painted,
    place_counts,
    places,
    probes,
    published_app,
    session,
    sessions,
    stream_routes,
    tokens,
    users,
    video,
    whep,
    whip,
)
"""One file a noun, beside the page."""


def build(
    *,
    streams: Streams,
    events: Events,
    metrics: Metrics,
    models: ServedModels,
    signalling: Signalling,
    stream_changes: StreamChanges,
    practice: Practice,
    reload: Reload | None,
    shortage: Shortage,
    proxies: TrustedProxies,
    gate: Gate,
    access: AccessParts,
    admissions: Admissions,
    sign_on: SignOn | None,
    security_headers: Mapping[str, str],
    draw: Draw,
    kept: "tuple[Archive, Announcements, Renders] | None" = None,
    outlets: "Outlets",
    neighbours: "Neighbours | None" = None,
) -> web.Application:
    """The application, ready to be served.

    `reload` is None where no file is followed, `sign_on` where nobody signs in elsewhere, `kept` where nothing is kept,
    `neighbours` where there is no cluster.
    """
    app = web.Application(
        middlewares=[_at_work, problems, as_passed_on, _as_asked, _require_name, _require_origin, let_through],
        client_max_size=MAX_OFFER,
    )
    app[STREAMS], app[EVENTS], app[METRICS], app[MODELS] = streams, events, metrics, models
    app[SIGNALLING], app[STREAM_CHANGES], app[PRACTICE], app[RELOAD] = signalling, stream_changes, practice, reload
    app[SHORTAGE], app[API_DESCRIPTION] = shortage, ApiDescription()
    app[GATE], app[ACCESS], app[ADMISSIONS], app[PROXIES] = gate, access, admissions, proxies
    app[SECURITY_HEADERS], app[SIGN_ON] = security_headers, sign_on
    if sign_on is not None:
        app[SIGN_IN_ELSEWHERE] = SignInElsewhere(name=sign_on.name, path=BEGIN)
    app.on_response_prepare.append(add_headers)
    feeds.set_up(app)
    changes.set_up(app)
    detect.set_up(app, draw)
    if neighbours is not None:
        from streamer.http.forwarding import others

        others.set_up(app, neighbours)
    kept_rooms = _kept_rooms(app, kept, outlets)
    if kept is not None and neighbours is not None:
        from streamer.http import lent_files
        from streamer.http.forwarding import lending

        lending.set_up(app, kept[0])
        kept_rooms = (*kept_rooms, lent_files)
    # At the root in any case: some proxies take the folder away before they ask, and probes know of none.
    for base in dict.fromkeys(("", proxies.base_path)):
        page.set_up(app, base)
        for room in (*ROOMS, *kept_rooms):
            app.add_routes(_below(base, room.routes))
    return app


def _kept_rooms(
    app: web.Application, kept: "tuple[Archive, Announcements, Renders] | None", whom: "Outlets"
) -> tuple[ModuleType, ...]:
    """What answers for events, recordings and alerts: of the archive nothing is loaded where there is none."""
    if kept is None:
        return (no_archive,)
    from streamer.http import (
        alert_history,
        alerts,
        clips,
        exports,
        facets,
        kept_events,
        outlets,
        recorded_files,
        recordings,
        renders,
        silences,
    )

    archive, announcements, made = kept
    kept_events.set_up(app, archive, announcements)
    exports.set_up(app)
    for room in (recordings, clips):
        room.set_up(app, archive.recordings)
    renders.set_up(app, made)
    alerts.set_up(app)
    outlets.set_up(app, whom)
    return (
        alert_history,
        alerts,
        clips,
        exports,
        facets,
        kept_events,
        outlets,
        recorded_files,
        recordings,
        renders,
        silences,
    )


def _below(base: str, routes: web.RouteTableDef) -> Iterator[web.RouteDef]:
    for each in routes:
        if isinstance(each, web.RouteDef):
            yield web.route(each.method, base + each.path, each.handler, **each.kwargs)


@web.middleware
async def _at_work(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """A connection is not waited for while its request is answered."""
    connection = connection_of(request)
    with contextlib.nullcontext() if connection is None else connection.at_work():
        return await handler(request)


@web.middleware
async def _as_asked(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Who asks through a proxy of ours has an address of his own."""
    if PASSED in request:
        return await handler(request)
    remote = request.remote or ""
    asker = request.app[PROXIES].asker(remote, request.headers.getall("X-Forwarded-For", []))
    return await handler(request if asker == remote else request.clone(remote=asker))


@web.middleware
async def _require_name(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Nothing is answered to who takes us for somebody else."""
    if PASSED not in request:
        request.app[SIGNALLING].require_name(request)
    return await handler(request)


@web.middleware
async def _require_origin(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Nothing is changed on behalf of a foreign page."""
    if PASSED not in request:
        request.app[SIGNALLING].require_origin(request)
    return await handler(request)
