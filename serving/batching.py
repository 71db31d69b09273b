"""How requests become batches: the file TensorFlow Serving reads with --batching_parameters_file.

The message is tensorflow.serving.BatchingParameters (servables/tensorflow/session_bundle_config.proto in
tensorflow/serving). The tensorflow-serving-api package leaves it out.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from serving import text_proto
from serving.errors import StartError

BATCHING_CONFIG = Path(__file__).with_name("batching.config")
MAX_BATCH_THREADS = 256
"""More threads than any machine uses; without a limit TensorFlow aborts the process when it cannot make them."""


@dataclass(frozen=True)
class BatchingParameters:
    """One file of batching parameters; defaults are TensorFlow Serving's, not those of batching.config."""

    max_batch_size: int = 1000
    """The most rows in a batch; a single request with more is refused."""
    batch_timeout: float = 0.0
    """Seconds a batch that is not full waits for more, counted from its first request."""
    max_enqueued_batches: int = 10
    """Batches waiting in one queue; a request that would start another one is refused with UNAVAILABLE."""
    num_batch_threads: int = os.cpu_count() or 1
    """Batches run at once, over all models."""
    thread_pool_name: str = "batch_threads"
    """A label of the metrics, and nothing else."""
    allowed_batch_sizes: tuple[int, ...] = ()
    """Batches are padded up to one of these; empty means any size."""
    pad_variable_length_inputs: bool = False
    """Tensors of different shapes are filled up to the largest with their own first element. Not for pictures."""
    enable_large_batch_splitting: bool = False
    """A request with more rows than a batch runs in several."""
    max_execution_batch_size: int = 0
    """The most rows run at once where large requests are split; 0 is max_batch_size."""

    @classmethod
    def read(cls, path: Path) -> "BatchingParameters":
        """Read a text proto.

        Raises:
            StartError: the file cannot be read, or has an unknown field or a value that is not allowed.
        """
        message = text_proto.read(path, _BatchingParameters, _FLAG)
        given = {field: getattr(message, field).value for field in _WRAPPED if message.HasField(field)}
        if message.HasField("batch_timeout_micros"):
            given["batch_timeout"] = given.pop("batch_timeout_micros") / 1e6
        parameters = cls(
            allowed_batch_sizes=tuple(message.allowed_batch_sizes),
            pad_variable_length_inputs=message.pad_variable_length_inputs,
            **given,
        )
        if wrong := parameters._wrong():
            raise StartError(f"{_FLAG} {path}: {wrong}")
        return parameters

    @property
    def execution_size(self) -> int:
        """The most rows run at once."""
        return (self.enable_large_batch_splitting and self.max_execution_batch_size) or self.max_batch_size

    def allowed_size(self, rows: int) -> int:
        """The size a batch of `rows` is padded up to."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)

    def _wrong(self) -> str | None:
        for field in _COUNTS:
            if getattr(self, field) < 1:
                return f"{field} must be at least 1; was {getattr(self, field)}"
        if self.num_batch_threads > MAX_BATCH_THREADS:
            return f"num_batch_threads must be at most {MAX_BATCH_THREADS}; was {self.num_batch_threads}"
        if self.batch_timeout < 0:
            return f"batch_timeout_micros must not be negative; was {self.batch_timeout * 1e6:.0f}"
        sizes = self.allowed_batch_sizes
        if sizes and (sizes[0] < 1 or sorted(set(sizes)) != list(sizes)):
            return f"allowed_batch_sizes must be positive and increasing; were {', '.join(map(str, sizes))}"
        if self.max_execution_batch_size > self.max_batch_size or self.max_execution_batch_size < 0:
            return (
                f"max_execution_batch_size must be from 1 to max_batch_size, {self.max_batch_size}; "
                f"was {self.max_execution_batch_size}"
            )
        if sizes and sizes[-1] != self.max_batch_size:
            return (
                "Last entry in allowed_batch_sizes must match max_batch_size; "
                f"last entry was {sizes[-1]}; expected {self.max_batch_size}"
            )
        return None


_COUNTS = ("max_batch_size", "max_enqueued_batches", "num_batch_threads")
_WRAPPED = {
    "max_batch_size": "google.protobuf.Int64Value",
    "batch_timeout_micros": "google.protobuf.Int64Value",
    "max_enqueued_batches": "google.protobuf.Int64Value",
    "num_batch_threads": "google.protobuf.Int64Value",
    "thread_pool_name": "google.protobuf.StringValue",
    "max_execution_batch_size": "google.protobuf.Int64Value",
    "enable_large_batch_splitting": "google.protobuf.BoolValue",
}
_FLAG = "--batching_parameters_file"
_BatchingParameters = text_proto.message_class(
    "tensorflow.serving.BatchingParameters",
    {**_WRAPPED, "allowed_batch_sizes": "repeated int64", "pad_variable_length_inputs": "bool"},
)
