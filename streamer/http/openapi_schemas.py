"""JSON schemas of shapes: pydantic's, with the words that stand below each key in the code."""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

Mode = Literal["validation", "serialization"]
"""Of what is read, and of what is answered."""

WHERE = "#/components/schemas/{model}"
IN_JSON = {"None": "null", "True": "true", "False": "false"}

CLASS = re.compile(r"^class (?P<name>\w+)\b(?P<body>.*?)(?=^[^\s)]|\Z)", re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(
    r'^    (?P<key>\w+): (?:[^\n]|\n        |\n    [)\]}])*\n    """(?P<words>.*?)"""', re.MULTILINE | re.DOTALL
)
"""As ruff writes them: an attribute, over more lines where it is long, and what stands below it."""


@dataclass(frozen=True)
class Schemas:
    """Of many shapes, which have parts in common."""

    of: Mapping[tuple[object, Mode], JsonSchemaValue]
    parts: Mapping[str, JsonSchemaValue]
    """What they refer to, by name."""


def schemas(shapes: Iterable[tuple[object, Mode]]) -> Schemas:
    """Make them. Takes some milliseconds a shape."""
    each: dict[tuple[Any, Mode], None] = dict.fromkeys(shapes)
    wanted = [(shape, mode, TypeAdapter[Any](shape)) for shape, mode in each]
    made, found = TypeAdapter.json_schemas(wanted, ref_template=WHERE, schema_generator=_Worded)
    return Schemas(made, found.get("$defs", {}))


class _Worded(GenerateJsonSchema):
    """Without titles, which repeat the keys; with the docstrings of attributes."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def typed_dict_schema(self, schema: Any) -> JsonSchemaValue:
        return _worded(super().typed_dict_schema(schema), schema.get("cls"))

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        return _worded(super().model_schema(schema), schema["cls"])


def _worded(schema: JsonSchemaValue, kind: type | None) -> JsonSchemaValue:
    schema.pop("title", None)
    if "description" in schema:
        schema["description"] = _in_json(schema["description"])
    said = {} if kind is None else _said(kind)
    for name, of in schema.get("properties", {}).items():
        if name in said:
            of.setdefault("description", said[name])
    return schema


def _said(kind: type) -> dict[str, str]:
    """What stands below each attribute of a class and of what it is made of."""
    found: dict[str, str] = {}  # the mro of a TypedDict is that of a dict
    for base in reversed((kind, *getattr(kind, "__orig_bases__", ()), *kind.__mro__[1:])):
        found |= _words(base.__module__).get(base.__qualname__, {})
    return found


@lru_cache(maxsize=1)
def _words(module: str) -> dict[str, dict[str, str]]:
    """What stands below each attribute of each class of a module of ours.

    Read as text: in a thread, as this may run, CPython 3.11's `ast.parse` fails at times (its issue 106905).
    """
    source = inspect.getsource(sys.modules[module]) if module.startswith("streamer.") else ""
    return {
        found["name"]: {each["key"]: _in_json(each["words"]) for each in ATTRIBUTE.finditer(found["body"])}
        for found in CLASS.finditer(source)
    }


def _in_json(words: str) -> str:
    return re.sub(r"\b(None|True|False)\b", lambda found: IN_JSON[found[0]], " ".join(words.split()))
