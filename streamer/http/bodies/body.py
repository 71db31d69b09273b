"""What every request's and every answer's body is."""

import json
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from streamer.values.errors import Refused
from streamer.values.explanation import explain
from streamer.values.name import is_pattern

MAX_BYTES = 16 * 1024
"""Of a request's body."""
MOST_PATTERNS = 256


class Body(BaseModel):
    """A JSON mapping whose keys are all known; values are never converted from another type."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,  # each costs memory, and many services never sign anybody in
    )


B = TypeVar("B", bound=Body)


def read(model: type[B], text: bytes) -> B:
    """What a request carries.

    Raises:
        Refused: 400 it is no JSON, 422 it is not what the model says; in one sentence.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        if problem["type"] == "json_invalid":
            raise Refused(400, "the body is not JSON") from None
        document = json.loads(text)
        if not isinstance(document, dict):
            raise Refused(400, f"the body must be a mapping, not {type(document).__name__}") from None
        raise Refused(422, explain(error, document, lambda _: model)) from None


def read_query(model: type[B], query: Mapping[str, str]) -> B:
    """What stands behind the question mark of a request.

    Raises:
        Refused: 400 it is not what the model says; in one sentence.
    """
    said = dict(query)
    try:
        return model.model_validate_strings(said)
    except ValidationError as error:
        raise Refused(400, explain(error, said, lambda _: model)) from None


def _pattern(text: str) -> str:
    if not is_pattern(text):
        raise ValueError(f"{text[:100]!r} is no stream's name, and no pattern of names with * and ?")
    return text


Patterns = Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], Field(max_length=MOST_PATTERNS)]
"""Names of streams, or patterns of such names with * and ?."""
