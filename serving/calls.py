"""`python -m serving.calls ADDRESS MODEL BATCHxHEIGHTxWIDTH CALLERS SECONDS`: what Predict calls take, as JSON.

Callers that each ask one call after the other, in a process of their own: their processor time is not the server's.
"""

import json
import statistics
import sys
import threading
import time
from typing import Any

import grpc
import numpy as np

from serving import malloc, signature, wire

WARM_UP_CALLS = 3


def measure(address: str, model: str, shape: tuple[int, int, int], callers: int, seconds: float) -> dict[str, float]:
    """Images a second, and milliseconds a call, of `callers` at once for `seconds`."""
    batch, height, width = shape
    request = wire.PredictRequest(model_spec={"name": model})
    pictures = np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
    request.inputs[signature.INPUT_TENSOR].CopyFrom(wire.uint8_tensor(pictures.shape, pictures.tobytes()))
    # Made once and sent as it is, and answers are not read: what a client does with either is not the server's.
    body = request.SerializeToString()
    times: list[list[float]] = [[] for _ in range(callers)]
    with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        predict: Any = channel.unary_unary(wire.PREDICT)
        for _ in range(WARM_UP_CALLS):
            predict(body, timeout=60)
        started = time.perf_counter()

        def call_on(took: list[float]) -> None:
            while (now := time.perf_counter()) < started + seconds:
                predict(body, timeout=60)
                took.append(time.perf_counter() - now)

        threads = [threading.Thread(target=call_on, args=(took,)) for took in times]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - started
    calls = [1000 * took for caller in times for took in caller]
    return {
        "images_per_second": batch * len(calls) / elapsed,
        "p50_ms": statistics.median(calls),
        "p95_ms": float(np.percentile(calls, 95)),
    }


def main() -> int:
    """Measure as the command line says."""
    address, model, shape, callers, seconds = sys.argv[1:]
    malloc.keep_large_blocks()
    batch, height, width = map(int, shape.split("x"))
    print(json.dumps(measure(address, model, (batch, height, width), int(callers), float(seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
