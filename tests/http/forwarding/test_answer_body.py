"""streamer.http.forwarding.answer_body: what another replica answers takes no more memory than it may."""

import aiohttp
import pytest
from aiohttp import web

from streamer.http.forwarding.answer_body import read_answer
from tests.http.replicas import run_owner


@pytest.mark.parametrize(("most", "is_whole"), [(100_000, True), (99_999, False)])
async def test_no_more_is_read_than_there_may_be(most: int, is_whole: bool) -> None:
    """Whatever comes is read whole up to the bound, and refused beyond it."""

    async def owner(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"x" * 100_000)

    async with run_owner(owner) as url, aiohttp.ClientSession() as client, client.get(url) as answer:
        if is_whole:
            assert await read_answer(answer, most) == b"x" * 100_000
        else:
            with pytest.raises(ValueError, match="longer than 99999 bytes"):
                await read_answer(answer, most)
