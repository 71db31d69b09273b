"""`python -m serving.throughput MODEL_VERSION_DIR`: the most images a second a model gives on this machine, as JSON.

The SavedModel is called in this process by TensorFlow's own loader, with its threads as the server sets them: none of
our code, no gRPC, no batching. What a server reaches is told as a share of this figure, measured in the same run.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving import malloc
from serving.banners import import_tensorflow
from serving.errors import StartError
from serving.flags import DEFAULT_INTER_OP, DEFAULT_INTRA_OP
from serving.signature import SERVING_DEFAULT

BATCHES = (1, 2, 4, 8)
CALLERS = (1, 2)
ROUNDS = 3
"""Every combination is measured this often, all in turn, so that a slow moment of the machine meets all of them."""
WARM_UP_CALLS = 3


def measure(
    path: Path, *, seconds: float, batches: Sequence[int] = BATCHES, callers: Sequence[int] = CALLERS
) -> dict[str, Any]:
    """Images a second of the signature serving_default for each batch size and number of concurrent callers.

    Args:
        path: a version directory.
        seconds: time for each combination, over all rounds.
        batches: images in a call.
        callers: threads that call at once.

    Returns:
        `images_per_second`: median over the rounds by "BATCHxCALLERS"; `best`: the combination with the most.

    Raises:
        StartError: no SavedModel there, or one that random images cannot be made for.
    """
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(path))
        signature = loaded.signatures[SERVING_DEFAULT]
    except KeyError:
        raise StartError(f"{path} has no signature {SERVING_DEFAULT}") from None
    except Exception as error:  # whatever TensorFlow finds wrong with it
        raise StartError(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}") from error
    inputs = {batch: images for batch in batches if (images := _random(signature, batch)) is not None}
    if not inputs:
        raise StartError(f"{path}: the inputs of {SERVING_DEFAULT} are not images of a fixed size")
    rates: dict[str, list[float]] = {f"{batch}x{count}": [] for batch in inputs for count in callers}
    for images in inputs.values():
        for _ in range(WARM_UP_CALLS):
            signature(**images)
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr, flush=True)
        for batch, images in inputs.items():
            for count in callers:
                rates[f"{batch}x{count}"].append(_rate(signature, images, count, seconds / ROUNDS) * batch)
    medians = {name: round(statistics.median(found), 2) for name, found in rates.items()}
    best = max(medians, key=lambda name: medians[name])
    batch, count = map(int, best.split("x"))
    return {
        "images_per_second": medians,
        "best": {"batch": batch, "callers": count, "images_per_second": medians[best]},
    }


def _random(signature: Any, batch: int) -> dict[str, Any] | None:
    """Random tensors for the signature's inputs, or None where it does not take `batch` of them."""
    import tensorflow as tf

    random, tensors = np.random.default_rng(0), {}
    for name, spec in signature.structured_input_signature[1].items():
        if not spec.shape.rank or not spec.shape[1:].is_fully_defined() or spec.shape[0] not in (None, batch):
            return None
        shape = (batch, *spec.shape[1:])
        if spec.dtype == tf.uint8:
            tensors[name] = tf.constant(random.integers(0, 256, shape, dtype=np.uint8))
        elif spec.dtype.is_floating:
            tensors[name] = tf.cast(random.random(shape, dtype=np.float32), spec.dtype)
        else:
            return None
    return tensors


def _rate(signature: Any, tensors: Mapping[str, Any], callers: int, seconds: float) -> float:
    """Calls a second of `callers` threads that call one after the other, counted until the last call has ended."""
    counts = [0] * callers
    started = time.perf_counter()

    def call(caller: int) -> None:
        while time.perf_counter() < started + seconds:
            signature(**tensors)
            counts[caller] += 1

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print one JSON line; progress goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m serving.throughput", description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, metavar="MODEL_VERSION_DIR", help="directory of a saved_model.pb")
    parser.add_argument("--seconds", type=float, default=3, help="time for each of the combinations (default 3)")
    parser.add_argument("--batch", type=int, choices=BATCHES, help="images in a call (default: all in turn)")
    parser.add_argument("--callers", type=int, choices=CALLERS, help="threads that call at once (default: all in turn)")
    parser.add_argument("--tensorflow_intra_op_parallelism", type=int, default=DEFAULT_INTRA_OP)
    parser.add_argument("--tensorflow_inter_op_parallelism", type=int, default=DEFAULT_INTER_OP)
    flags = parser.parse_args(arguments)
    if flags.seconds <= 0:
        parser.error(f"--seconds {flags.seconds} is not allowed; more than 0")
    malloc.keep_large_blocks()
    print("loading tensorflow", file=sys.stderr, flush=True)
    import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(flags.tensorflow_intra_op_parallelism)
    tf.config.threading.set_inter_op_parallelism_threads(flags.tensorflow_inter_op_parallelism)
    try:
        found = measure(
            flags.path,
            seconds=flags.seconds,
            batches=(flags.batch,) if flags.batch else BATCHES,
            callers=(flags.callers,) if flags.callers else CALLERS,
        )
    except StartError as error:
        print(f"serving.throughput: {error}", file=sys.stderr)
        return 2
    setting = {
        "model": str(flags.path),
        "intra_op": flags.tensorflow_intra_op_parallelism,
        "inter_op": flags.tensorflow_inter_op_parallelism,
        "seconds": flags.seconds,
    }
    print(json.dumps(setting | found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
