"""The description of the API that programs read: OpenAPI 3.1, made of the routes themselves.

https://spec.openapis.org/oas/v3.1.0. What a route takes and answers stands beside its handler (`operation.py`), who may
ask it too (`needs.py`). Without HEAD, which is answered wherever GET is and means the same without the content.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from aiohttp import web
from pydantic.json_schema import JsonSchemaValue

from streamer.access.action import Action, Role
from streamer.http.needs import Need, need_of
from streamer.http.openapi_schemas import Mode, Schemas, schemas
from streamer.http.operation import JSON, Answer, Content, Operation, operation_of
from streamer.http.problems import PROBLEM, Problem
from streamer.http.signalling import SAFE
from streamer.values.name import NAME
from streamer.values.uuid7 import PATTERN

Document = dict[str, Any]

ABOUT = """\
Refusals are problem details (RFC 9457), a sentence in `detail`. What a client is to blame for is 4xx; 500 is a fault
of the service's own, which its log tells; any request may be answered 503 with `Retry-After` while the service is out
of descriptors. `x-action` is what whoever asks must be allowed, `x-roles` are the roles that are; without an action a
route is open to anybody. HEAD is answered wherever GET is. What no schema says stands in docs/api.md.
"""

VARIABLES: dict[str, JsonSchemaValue] = {
    "name": {"type": "string", "pattern": f"^{NAME}$", "description": "Of a stream."},
    "session": {"type": "string", "minLength": 1, "description": "Of a viewer or publisher, as its location has it."},
    "viewer": {"type": "string", "minLength": 1, "description": "Of a viewer, as the first message has it."},
    "user": {"type": "string", "minLength": 1, "description": "Of a user."},
    "id": {"type": "string", "minLength": 1, "description": "As the list has it."},
    "event": {"type": "string", "pattern": f"^{PATTERN}$", "description": "Of an event."},
    "segment": {"type": "string", "pattern": f"^{PATTERN}$", "description": "Of a segment of recordings."},
    "render": {"type": "string", "pattern": f"^{PATTERN}$", "description": "Of a render."},
    "rule": {"type": "string", "pattern": f"^(?!(history|try)$){NAME}$", "description": "Of a rule that tells."},
    "silence": {"type": "string", "pattern": f"^{PATTERN}$", "description": "Of a silence."},
    "outlet": {"type": "string", "pattern": f"^{NAME}$", "description": "Of an outlet."},
    "begin": {"type": "string", "pattern": r"^\d{1,10}$", "description": "Bytes, as a playlist has it."},
    "end": {"type": "string", "pattern": r"^\d{1,10}$", "description": "Bytes, as a playlist has it."},
}
"""What stands in paths."""

HEADERS = {
    "Accept-Encoding": "The codings that are taken.",
    "Accept-Patch": "The media type that PATCH takes.",
    "Accept-Post": "The media type that POST takes.",
    "Accept-Ranges": "That parts may be asked for by `Range`.",
    "Allow": "The methods that are possible here.",
    "Content-Range": "Which part it is, of how many bytes.",
    "ETag": "What the answer is known by.",
    "Link": 'An ICE server, with its login where it has one (`rel="ice-server"`); one of these each.',
    "Location": "Where it is.",
    "Retry-After": "Seconds after which to ask again.",
    "Sec-WebSocket-Accept": "The answer to the key of the opening handshake.",
    "Set-Cookie": "A cookie of the session, or of the way to it.",
    "Upgrade": "The protocol to ask for.",
    "WWW-Authenticate": "How to say who asks.",
}
"""What comes with answers."""

OF_ALL = {400: "the request cannot be understood", 421: "the service does not go by the name in `Host`"}
OF_SOME = {
    401: "whoever asks did not say who he is, or is not known",
    403: "whoever asks may not do this, or the page he asks from may not",
    404: "it is not there, or not for whoever asks",
    408: "the body did not come in time",
    413: "the body is too large",
    415: "the body is of another type",
}
"""Refusals that the kind of a route has in it, without its saying so."""
WITH = {401: ("WWW-Authenticate",)}


@dataclass(frozen=True, slots=True)
class Described:
    """One route, and all it says of itself."""

    method: str
    path: str
    name: str
    room: str
    operation: Operation
    need: Need | None


def document(routes: Iterable[web.AbstractRoute]) -> Document:
    """The whole of it, but for `servers`. Takes some tenths of a second; may run in a thread.

    Args:
        routes: of the application; a handler that is there twice, below a folder too, is described where it is first.
    """
    found = list(described_routes(routes))
    made = schemas([(Problem, "serialization"), *(shape for route in found for shape in _shapes(route.operation))])
    paths: dict[str, dict[str, Document]] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method] = _operation(route, made)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sightline", "version": version("sightline"), "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": dict(made.parts),
            "responses": {str(status): _refusal(status, means) for status, means in {**OF_ALL, **OF_SOME}.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token, as programs show it."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "sightline",
                    "description": "A session of a browser; over TLS its name begins with `__Host-` or `__Secure-`.",
                },
            },
        },
    }


def described_routes(routes: Iterable[web.AbstractRoute]) -> Iterator[Described]:
    """The routes that are described."""
    seen = set[tuple[str, object]]()
    for route in routes:
        operation, resource = operation_of(route.handler), route.resource
        if operation is None or resource is None or route.method == "HEAD" or (route.method, route.handler) in seen:
            continue
        seen.add((route.method, route.handler))
        room = route.handler.__module__.rpartition(".")[2]
        name = f"{room}_{route.handler.__name__}"
        yield Described(route.method.lower(), resource.canonical, name, room, operation, need_of(route.handler))


def _shapes(operation: Operation) -> Iterator[tuple[object, Mode]]:
    if operation.query is not None:
        yield operation.query, "validation"
    if operation.body is not None and operation.body.shape is not None:
        yield operation.body.shape, "validation"
    for answer in operation.answers.values():
        if answer.content is not None and answer.content.shape is not None:
            yield answer.content.shape, "serialization"


def _operation(route: Described, made: Schemas) -> Document:
    operation, need = route.operation, route.need
    action = None if need is None else need.action
    found: Document = {
        "operationId": route.name,
        "tags": [route.room],
        "summary": operation.summary,
        "x-action": action,
        "x-roles": roles_of(action),
        "security": [] if action is None else [{"bearer": []}, {"cookie": []}],
        "parameters": [*_variables(route.path), *_query(operation, made), *_headers(operation)],
    }
    if operation.deprecated:
        found["deprecated"] = True
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": _content(operation.body, "validation", made)}
    found["responses"] = {str(status): {"$ref": f"#/components/responses/{status}"} for status in _implied(route)} | {
        str(status): _response(status, answer, made) for status, answer in operation.answers.items()
    }
    return {key: value for key, value in found.items() if key != "parameters" or value}


def _implied(route: Described) -> Iterator[int]:
    """The refusals that go without saying."""
    is_protected = route.need is not None and route.need.action is not None
    yield from OF_ALL
    if is_protected:
        yield 401
    if is_protected or route.method.upper() not in SAFE:
        yield 403
    if "{" in route.path:
        yield 404
    if route.operation.body is not None:
        yield from (408, 413, 415)


def _response(status: int, answer: Answer, made: Schemas) -> Document:
    if status >= 400:
        return _refusal(status, answer.means, answer.headers)
    content = {} if answer.content is None else {"content": _content(answer.content, "serialization", made)}
    return {"description": answer.means or HTTPStatus(status).phrase} | _with(answer.headers) | content


def _refusal(status: int, means: str, headers: tuple[str, ...] = ()) -> Document:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": means} | _with(headers or WITH.get(status, ())) | {"content": content}


def _content(content: Content, mode: Mode, made: Schemas) -> Document:
    if content.shape is None:
        return {media: {"schema": _unsaid(media)} for media in content.media}
    schema = made.of[content.shape, mode]
    if content.media == ("text/event-stream",):  # 3.1 has no word for a sequence: each event's data is of this shape
        return {content.media[0]: {"schema": {"type": "string"}, "x-data": schema}}
    return {media: {"schema": schema} for media in content.media}


def _unsaid(media: str) -> JsonSchemaValue:
    """Of what has no more to say than its media type; programs that make clients ask for a schema all the same."""
    if media == JSON:
        return {"type": "object"}
    is_text = media.startswith(("text/", "application/"))
    return {"type": "string"} if is_text else {"type": "string", "format": "binary"}


def _with(headers: tuple[str, ...]) -> Document:
    of = {name: {"description": HEADERS[name], "schema": {"type": "string"}} for name in headers}
    return {"headers": of} if of else {}


def _variables(path: str) -> Iterator[Document]:
    for part in path.split("{")[1:]:
        name = part.partition("}")[0]
        schema = dict(VARIABLES[name])
        words = schema.pop("description")
        yield {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def _query(operation: Operation, made: Schemas) -> Iterator[Document]:
    if operation.query is None:
        return
    shape = made.of[operation.query, "validation"]
    keys = made.parts[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
    for name, schema in keys["properties"].items():
        said = _said(schema)
        words = {"description": said.pop("description")} if "description" in said else {}
        yield {"name": name, "in": "query", "required": name in keys.get("required", ()), **words, "schema": said}


def _said(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Of a parameter that may be left out: a query cannot say null."""
    kinds: list[JsonSchemaValue] = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return dict(schema)
    return {key: value for key, value in schema.items() if key not in ("anyOf", "default")} | kinds[0]


def _headers(operation: Operation) -> Iterator[Document]:
    for name, means in operation.headers.items():
        yield {"name": name, "in": "header", "required": False, "description": means, "schema": {"type": "string"}}


def roles_of(action: Action | None) -> list[str]:
    """The roles that may do it; all, where anybody may."""
    return [role.value for role in Role if action is None or action in role.actions]
