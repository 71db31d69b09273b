"""What a route takes and what it answers, as programs are told it: beside its handler, so that both change together.

What is said here costs a few words of memory. Schemas are made of it when somebody first asks (`openapi.py`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from aiohttp import web
from pydantic import GetCoreSchemaHandler

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Later:
    """Beside a type, `Annotated[Any, Later(make)]`: the shape is that which is made, when somebody asks for it."""

    make: Callable[[], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> Any:
        """The one of what is made, as pydantic asks for it."""
        return handler.generate_schema(self.make())


@dataclass(frozen=True, slots=True)
class Content:
    """What a body holds."""

    shape: object = None
    """A type, as pydantic's TypeAdapter takes one; None: what its media type says, and no more."""
    media: tuple[str, ...] = (JSON,)
    """The types it may be of."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one status means here."""

    content: Content | None = None
    """None: there is none."""
    means: str = ""
    """A sentence, where the status's own word does not say it."""
    headers: tuple[str, ...] = ()
    """That come with it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route's."""

    summary: str
    """The first paragraph of its handler's docstring."""
    answers: Mapping[int, Answer]
    body: Content | None = None
    query: object = None
    """A type whose keys are the parameters; None: there are none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those it asks for, and what each is."""
    deprecated: bool = False
    """Whether there is a better one, for whoever begins now."""


class _Handler(Protocol):
    def __call__(self, request: web.Request, /) -> Awaitable[web.StreamResponse]: ...


H = TypeVar("H", bound=_Handler)

_OPERATIONS: dict[object, Operation] = {}


def described(
    answers: Mapping[int, object],
    *,
    body: object = None,
    query: object = None,
    headers: Mapping[str, str] | None = None,
    deprecated: bool = False,
) -> Callable[[H], H]:
    """Say what a handler takes and answers; stands below its route. What every route may answer goes without saying.

    Args:
        answers: by status: a shape, which is sent as JSON; None, nothing is sent; a sentence, it is a refusal; or an
            `Answer`.
        body: a shape, which is read as JSON, or a `Content`.
        query: a type whose keys are the query's parameters, best the one that validates them.
        headers: request headers it reads beyond the usual, and what each is.
        deprecated: whether it is here for older programs alone.
    """

    def noted(handler: H) -> H:
        _OPERATIONS[handler] = Operation(
            summary=" ".join((handler.__doc__ or "").partition("\n\n")[0].split()),
            answers={status: _answer(said) for status, said in answers.items()},
            body=body if body is None or isinstance(body, Content) else Content(body),
            query=query,
            headers=headers or {},
            deprecated=deprecated,
        )
        return handler

    return noted


def operation_of(handler: object) -> Operation | None:
    """What a route's handler takes and answers; None: it never said."""
    return _OPERATIONS.get(handler)


def _answer(said: object) -> Answer:
    if isinstance(said, Answer):
        return said
    if said is None:
        return Answer()
    return Answer(means=said) if isinstance(said, str) else Answer(Content(said))
