"""streamer.control.bearer_token: whether a request shows a token."""

import pytest

from streamer.control.bearer_token import shows


@pytest.mark.parametrize(
    ("authorization", "right"),
    [
        ("Bearer let-me-ïn", True),
        ("bearer  let-me-ïn ", True),
        ("Bearer let-me-in", False),
        ("Bearer", False),
        ("Basic let-me-ïn", False),
        ("let-me-ïn", False),
        ("", False),
        (None, False),
        ("Bearer \udcff\udcfe", False),  # what aiohttp makes of bytes that are not UTF-8
    ],
)
def test_only_the_token_is_let_in(authorization: str | None, right: bool) -> None:
    """A header shows a token by the scheme Bearer, in any case, and its very text; anything else in it is refused."""
    assert shows(authorization, "let-me-ïn") is right
