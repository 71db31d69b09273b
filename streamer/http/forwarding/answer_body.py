"""What a replica answers, read whole: no more of it than there may be, whatever it sends."""

import aiohttp


async def read_answer(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Read an answer to its end.

    Args:
        answer: of which nothing was read yet.
        most: bytes.

    Raises:
        ValueError: it is longer.
        aiohttp.ClientError, TimeoutError: it broke off.
    """
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > most:
            raise ValueError(f"its answer is longer than {most} bytes")
    return bytes(body)
