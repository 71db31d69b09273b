"""The API asked for whatever its own description allows, and for what it forbids, by everybody there can be."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode, Response
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from streamer.access.action import Action
from streamer.archive import event_table
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.recordings import segment_table
from streamer.archive.sqlite import Sqlite
from tests.archive.events import a_picture, an_event
from tests.peers.api_document import closed
from tests.peers.askers import GUEST, PASSWORD, SPARE, Asker, write_askers
from tests.peers.recorded import record
from tests.peers.rtc import make_pc, offer_to_watch
from tests.peers.service import PATIENCE_S, Service, run_service

pytestmark = pytest.mark.timeout(300)

Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Any]

EVENT = an_event(time.time(), stream="absent")
"""One that is kept."""
NOON = float(int(time.time()) - 3600)
"""When what is recorded begins."""
SPAN = {"from": NOON, "to": NOON + 2}
EXAMPLES = 4
"""Requests of each kind for each operation, each asked by everybody."""
STREAM = "absent"
"""A stream there is."""
KNOWN = {"name": STREAM, "user": GUEST, "id": SPARE, "event": EVENT.id, "rule": "night", "outlet": "phone"}
"""What paths may name, beside what is recorded."""
RECORDED = "/api/streams/{name}/recordings"
QUERIES = {
    **{f"GET {RECORDED}{path}": SPAN for path in ("", "/days", "/timeline", "/playlist.m3u8")},
    **{f"GET {RECORDED}/clip.{kind}": SPAN for kind in ("mp4", "json", "vtt")},
    f"GET {RECORDED}/thumbnail.jpg": {"at": NOON},
    f"DELETE {RECORDED}": {"from": NOON - 20, "to": NOON - 10},
}
"""What is asked for, and not found by chance."""
BODIES = {
    "PUT /api/alerts/{rule}": {"streams": [STREAM], "labels": ["person"], "outlets": ["phone"]},
    "POST /api/alerts/try": {"streams": ["absent", "line-?"], "hours": ["22:00-06:00"]},
    "POST /api/silences": {"seconds": 3600, "stream": STREAM},
    "POST /api/outlets/{outlet}/dead/resend": {"ids": None},
    "PATCH /api/events/{event}": {"reviewed": "confirmed", "note": "seen", "bookmarked": True},
    "POST /api/doctor": {"url": "rtsp://127.0.0.1:1/nobody"},
    "POST /api/links": {"path": f"/api/streams/{STREAM}/frame.jpg", "seconds": 60},
    "PUT /api/session/password": {"old": PASSWORD, "new": f"no longer {PASSWORD}"},
    "POST /api/session": {"name": GUEST, "password": PASSWORD},
    f"POST {RECORDED}/renders": SPAN,
    "POST /api/streams": {"name": "added", "url": "rtsp://127.0.0.1:1/another"},
    "POST /api/tokens": {"name": "new", "actions": ["view"], "streams": ["line-?"]},
    "POST /api/users": {"name": "new", "role": "viewer", "streams": ["added", "line-*"]},
}
"""What is done, and not found by chance."""
URLS = ["rtsp://127.0.0.1:1/one", "rtsp://127.0.0.1:1/other"]
"""Of cameras: no schema says what an address is, and beside one that cannot be nothing else would be looked at."""
UNDONE = {
    "GET /api/streams/{name}/frame.jpg": "without a camera there is no picture",
    "DELETE /api/streams/{name}": "this one stands in the configuration file",
    "PUT /api/streams/{name}/places": "and so do its zones",
    "POST /whip/{name}": "this name is a camera's",
    "GET /readyz": "no model answers",
    "GET /api/cluster": "there are no other replicas",
    **{f"POST /api/{way}": "and none looks at pictures" for way in ("detect", "", "img", "json")},
    f"DELETE {RECORDED}/renders/{{render}}": "nobody knows its id before it is made",
    f"GET {RECORDED}/renders/{{render}}": "the same",
    f"GET {RECORDED}/renders/{{render}}/video.mp4": "the same",
    **{f"GET /api/sign-in/oidc{way}": "nobody signs in elsewhere here" for way in ("", "/callback", "/sign-out")},
    "DELETE /api/silences/{silence}": "nobody knows its id before it is made",
    "GET /api/detections": "without an end",
    "GET /api/events/stream": "without an end",
    "GET /api/streams/{name}/events": "without an end",
    "GET /streams/{name}.mjpeg": "without an end",
    "GET /api/streams/{name}/video": "a WebSocket, which nobody asks for here",
    "POST /api/streams/{name}/video/{viewer}/painted": "and so there is nobody who watches by one",
}
"""What nobody is answered here with what he asks for."""
ENDS_A_SESSION = {("DELETE", 204), ("POST", 201)}
"""The one of before ends where somebody signs in."""
AS_DESCRIBED = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def askers() -> list[Asker]:
    """Give a list that everybody is written to."""
    return []


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, askers: list[Asker]) -> Iterator[Service]:
    """Run a service with a camera that is not there and a model that does not answer, and everybody known to it."""
    folder = tmp_path_factory.mktemp("fuzzed")
    askers += write_askers(folder / "sightline.yaml")
    config = {
        "serving": {"address": "127.0.0.1:1"},
        "streams": {STREAM: {"url": "rtsp://127.0.0.1:1/nobody"}},
        "api_streams": {"allowed": True, "max_streams": 100, "networks": ["127.0.0.1/32"]},
        "access": {},
        "archive": {"path": "archive"},
        "webhooks": {"phone": {"url": "http://127.0.0.1:1/nobody"}},
    }
    keep_event(folder / "archive")
    keep_segment(folder / "archive")
    with run_service(config, folder=folder) as service:
        yield service


def keep_event(folder: Path) -> None:
    """Have an event in the archive, with its pictures."""
    folder.mkdir()
    database = Sqlite(folder / "sightline.db")
    migrate(database)
    with database.writing() as cursor:
        event_table.put(cursor, [(EVENT, a_picture())])
    database.close()
    Pictures(folder / "pictures").write(EVENT, a_picture())


def keep_segment(folder: Path) -> None:
    """Have a segment of video in it, which paths may name from then on."""
    segment = record(folder / "recordings", NOON, stream=STREAM, seconds=2)
    database = Sqlite(folder / "sightline.db")
    with database.writing() as cursor:
        segment_table.put(cursor, [segment])
    database.close()
    first = segment.fragments[0]
    KNOWN.update(segment=segment.id, begin=str(first.offset), end=str(first.offset + first.size))


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    """Give what the service says of its API."""
    return dict(requests.get(f"{service.url}/api/openapi.json", timeout=PATIENCE_S).json())


@pytest.fixture(scope="module")
def api(document: dict[str, Any]) -> BaseSchema:
    """Give what schemathesis makes of it, where an answer may have no key that is not described, and SDP is SDP."""
    real = asyncio.run(an_offer()).encode()
    texts = st.sampled_from([real, real.replace(b"recvonly", b"sendonly")]) | st.binary()
    schemathesis.openapi.media_type("application/sdp", texts, aliases=["application/trickle-ice-sdpfrag"])
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    narrowed = closed(document)
    for shape in ("NewStream", "StreamPatch", "ExaminationOfCamera"):
        narrowed["components"]["schemas"][shape]["properties"]["url"] = {"enum": URLS}
    return schemathesis.openapi.from_dict(narrowed, config=config)


async def an_offer() -> str:
    """Make a viewer's offer, with candidates of this machine, the sockets of which are closed again."""
    pc = make_pc()
    try:
        return await offer_to_watch(pc)
    finally:
        await pc.close()


def test_whatever_is_allowed_is_answered_as_described(service: Service, api: BaseSchema, askers: list[Asker]) -> None:
    """Whoever asks for what: only statuses, types, headers and shapes that are described, and no fault of our own.

    Who may not do it is refused. Each operation is done for somebody at least once.
    """
    found: set[str] = set()
    done: defaultdict[str, bool] = defaultdict(bool)
    # What is removed comes last: the others are asked for while it is there.
    ordered = sorted(operations(api), key=lambda each: each.method == "delete")
    first = [case for each in ordered for case in certain_cases(each)]
    for case in first + [case for each in operations(api) for case in cases(each, GenerationMode.POSITIVE)]:
        for asker in askers:
            answer = ask(service, case, asker)
            found.update(mistakes(case, asker, answer))
            done[case.operation.label] |= answer is not None and answer.status_code < 300
    assert sorted(found) == []
    assert {label for label, was in done.items() if not was and "{session}" not in label} <= UNDONE.keys()
    assert "nobody foresaw" not in service.process.output


def test_what_is_forbidden_is_done_for_nobody(service: Service, api: BaseSchema, askers: list[Asker]) -> None:
    """What the description forbids, in a body, a query or a path, is refused as described, whoever asks for it."""
    found: set[str] = set()
    asked: set[str] = set()
    for operation in operations(api):
        if operation.method == "options" or not (operation.body or operation.query or "{" in operation.path):
            continue  # nothing could be wrong with it; OPTIONS may be asked of a path whatever is there
        for case in cases(operation, GenerationMode.NEGATIVE):
            asked.add(operation.label)
            for asker in askers:
                answer = ask(service, case, asker)
                found.update(mistakes(case, asker, answer))
    assert sorted(found) == []
    assert len(asked) > 20
    assert "nobody foresaw" not in service.process.output


@pytest.mark.parametrize("method", ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"])
def test_what_is_not_described_is_not_there(service: Service, document: dict[str, Any], method: str) -> None:
    """A method that the description does not have of a path is 405, and what is allowed there is what it has."""
    for path, described in document["paths"].items():
        if method.lower() not in described:
            answer = requests.request(method, service.url + re.sub("{.+?}", "x", named(path)), timeout=PATIENCE_S)
            assert answer.status_code == 405, path
            allowed = {each.strip().lower() for each in answer.headers["Allow"].split(",")}
            assert allowed - {"head"} == described.keys(), path


def named(path: str) -> str:
    """With an id in the place of each, where what is none would be no path."""
    for name in ("event", "segment", "render", "silence"):
        path = path.replace(f"{{{name}}}", EVENT.id)
    return path.replace("{begin}-{end}", "0-1")


def operations(api: BaseSchema) -> list[Operation]:
    """Give all."""
    return [each.ok() for each in api.get_all_operations() if isinstance(each, Ok)]


def certain_cases(operation: Operation) -> list[Request]:
    """Make requests of what there is, and with what is taken."""
    known = {name: value for name, value in KNOWN.items() if f"{{{name}}}" in operation.path}
    if operation.label in QUERIES:
        return cases(operation, GenerationMode.POSITIVE, path_parameters=known, query=QUERIES[operation.label])[:1]
    if operation.label in BODIES:
        return cases(operation, GenerationMode.POSITIVE, path_parameters=known, body=BODIES[operation.label])[:1]
    return cases(operation, GenerationMode.POSITIVE, path_parameters=known) if known else []


def cases(operation: Operation, mode: GenerationMode, **certain: Any) -> list[Request]:
    """Make requests, as the description allows or with something in them that it forbids, the same in every run.

    Args:
        operation: to be asked for.
        mode: whether anything is to be wrong.
        certain: what is the same in all of them.
    """
    made: list[Request] = []

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode, **certain))
    def make(case: Request) -> None:
        made.append(case)

    try:
        make()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # whatever stands there is allowed
    return made


def ask(service: Service, case: Request, asker: Asker) -> Response | None:
    """Have somebody ask; None: the answer would have no end."""
    if may(case, asker) and UNDONE.get(case.operation.label) == "without an end":
        return None
    answer = case.call(base_url=service.url, headers=dict(asker.headers), timeout=PATIENCE_S, allow_redirects=False)
    if case.operation.path.startswith("/api/session") and (case.method, answer.status_code) in ENDS_A_SESSION:
        asker.is_signed_out()
    return answer


def may(case: Request, asker: Asker) -> bool:
    """Whether an asker may do what a case is about, as the description says."""
    action = case.operation.definition.raw["x-action"]
    return action is None or Action(action) in asker.actions


def mistakes(case: Request, asker: Asker, answer: Response | None) -> Iterator[str]:
    """Judge an answer."""
    if answer is None:
        return
    what = f"{case.operation.label}, asked by {asker.name}, is answered {answer.status_code}"
    if answer.status_code >= 500 and answer.status_code != 503:
        yield what
    is_open = case.operation.definition.raw["x-action"] is None
    if may(case, asker) and not is_open and answer.status_code == 401:
        yield f"{what}, and he may"
    if not may(case, asker) and answer.status_code not in (400, 401, 403, 404):
        yield f"{what}, and he may not"
    try:
        case.validate_response(answer, checks=[*AS_DESCRIBED, *([checks.negative_data_rejection] * may(case, asker))])
    except FailureGroup as group:
        yield from (f"{what}: {failure}" for failure in group.exceptions)
