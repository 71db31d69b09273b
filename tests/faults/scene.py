"""What all cameras look at: one thing, that comes and goes; a model server of a process of its own finds it.

So each stream has an event every `PERIOD` seconds, whoever runs it, and all begin at once.
"""

import asyncio
import itertools
import sys

from serving.signature import Contract
from tests.peers.fake_model_server import ROWS, run_fake_model_server

PERIOD = 10.0
"""Seconds from one coming to the next; for half of them it is there."""


async def serve(port: int, host: str) -> None:
    """Answer until killed."""
    contract = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect"})
    async with run_fake_model_server(contract, host=host, port=port) as server:
        print("serving", flush=True)
        for best in itertools.cycle([0.9, 0.05]):
            server.scores = [best, *[0.05] * (ROWS - 1)]
            server.requests.clear()
            server.batches.clear()
            await asyncio.sleep(PERIOD / 2)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
