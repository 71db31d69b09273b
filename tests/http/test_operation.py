"""Operations: what a route says of itself, beside its handler."""

from aiohttp import web

from streamer.http.operation import Answer, Content, described, operation_of


def test_says_what_it_takes_and_answers() -> None:
    """A shape is JSON, nothing is nothing, a sentence is a refusal; the docstring's first paragraph says what it is."""

    @described({200: list[int], 204: None, 409: "it is taken"}, body=dict[str, int])
    async def handler(request: web.Request) -> web.Response:
        """Count something
        twice.

        Slowly.
        """
        return web.Response()

    found = operation_of(handler)
    assert found is not None
    assert found.summary == "Count something twice."
    assert found.body == Content(dict[str, int])
    assert found.answers == {200: Answer(Content(list[int])), 204: Answer(), 409: Answer(means="it is taken")}


def test_what_says_nothing_is_not_described() -> None:
    """A handler that never said what it takes has no operation."""
    assert operation_of(test_says_what_it_takes_and_answers) is None
