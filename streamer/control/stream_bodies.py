"""What the API is given of a stream, as types that describe themselves: what validates it is what is described.

Made only when somebody asks for them: a service that nobody asks to describe itself has no use for them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, GetJsonSchemaHandler, create_model
from pydantic.json_schema import JsonSchemaValue

from streamer.config import PlacesSettings, StreamSettings
from streamer.config.section import Name, Section


class MergePatch:
    """Beside a model: what changes one (RFC 7396). Each key may be left out, and null stands for the default again."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Its schema, instead of the model's own."""
        reference = handler(schema)
        own = handler.resolve_ref_schema(reference)
        words, patch = own.get("description"), _patch_of(own, handler)
        own.clear()
        own.update(patch, description=words)
        return reference


def stream_settings() -> type[BaseModel]:
    """A stream's settings, as an answer shows them."""
    return StreamSettings


def stream_places() -> type[BaseModel]:
    """A stream's zones, lines and masks."""
    return PlacesSettings


def new_stream() -> type[BaseModel]:
    """A stream to be added."""
    return create_model("NewStream", __base__=StreamSettings, __doc__="A stream to be added.", name=(Name, ...))


def stream_patch() -> object:
    """What is to change of a stream."""
    patch = create_model(
        "StreamPatch", __base__=StreamSettings, __doc__="What is to change; null is the default again."
    )
    return Annotated[patch, MergePatch()]


def examination() -> object:
    """What the doctor is to examine: a camera by its settings, or a stream by its name."""
    camera = create_model(
        "ExaminationOfCamera", __base__=StreamSettings, __doc__="A camera to be examined.", still=(bool, False)
    )
    stream = create_model(
        "ExaminationOfStream",
        __base__=Section,
        __doc__="A stream to be examined, with the password, settings and limits it runs with.",
        stream=(Name, ...),
        still=(bool, False),
    )
    return camera | stream


def _patch_of(schema: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    schema = handler.resolve_ref_schema(schema)
    if "properties" not in schema:
        return schema
    keys: dict[str, Any] = {name: _or_null(_patch_of(of, handler)) for name, of in schema["properties"].items()}
    return {"type": "object", "properties": keys, "additionalProperties": False}


def _or_null(schema: JsonSchemaValue) -> JsonSchemaValue:
    schema = {key: value for key, value in schema.items() if key != "default"}
    null: dict[Literal["type"], str] = {"type": "null"}
    return schema if null in schema.get("anyOf", []) else {"anyOf": [schema, null]}
