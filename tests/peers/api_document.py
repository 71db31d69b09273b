"""The API's own description, and answers held to it."""

import json
from typing import Any

import jsonschema_rs

from tests.peers.service import Service

Document = dict[str, Any]


async def document_of(service: Service) -> Document:
    """What a running service says of its API."""
    return dict((await service.ask("/api/openapi.json")).json())


def closed(document: Document) -> Document:
    """The same, in which an answer may have no key that is not described: a client would not know of it."""
    shut: Document = json.loads(json.dumps(document))
    for schema in shut["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return shut


def mistakes(document: Document, shape: str, answer: object) -> list[str]:
    """What of an answer is not as the document describes that shape; a key more is a mistake."""
    return _mistakes(document, {"$ref": f"#/components/schemas/{shape}"}, answer)


def mistakes_of_each(document: Document, shape: str, answers: object) -> list[str]:
    """The same of a list of them, which may be empty."""
    return _mistakes(document, {"type": "array", "items": {"$ref": f"#/components/schemas/{shape}"}}, answers)


def _mistakes(document: Document, schema: Document, answer: object) -> list[str]:
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": closed(document)["components"]})
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(answer)]
