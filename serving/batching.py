"""How requests become batches: the file TensorFlow Serving reads with --batching_parameters_file.

The message is tensorflow.serving.BatchingParameters (servables/tensorflow/session_bundle_config.proto in
tensorflow/serving). The tensorflow-serving-api package leaves it out; only its text form is ever read, so its fields
are listed here.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool, message_factory, text_format, wrappers_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

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
    allowed_batch_sizes: tuple[int, ...] = ()
    """Batches are padded up to one of these; empty means any size."""

    @classmethod
    def read(cls, path: Path) -> "BatchingParameters":
        """Read a text proto.

        Raises:
            StartError: the file cannot be read or has an unknown field, a value that is not allowed, or a field that
                this server does not implement.
        """
        message = _message()()
        try:
            text_format.Parse(path.read_text(encoding="utf-8"), message)
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"--batching_parameters_file {path}: {error}") from error
        except text_format.ParseError as error:
            raise StartError(f"--batching_parameters_file {path}:{error}") from error
        for field in ("pad_variable_length_inputs", "enable_large_batch_splitting", "max_execution_batch_size"):
            value = getattr(message, field)
            if value if isinstance(value, bool) else value.value:
                raise StartError(f"--batching_parameters_file {path}: {field} is not implemented by this server")
        given = {field: getattr(message, field).value for field in _COUNTS if message.HasField(field)}
        if message.HasField("batch_timeout_micros"):
            given["batch_timeout"] = message.batch_timeout_micros.value / 1e6
        parameters = cls(allowed_batch_sizes=tuple(message.allowed_batch_sizes), **given)
        if wrong := parameters._wrong():
            raise StartError(f"--batching_parameters_file {path}: {wrong}")
        return parameters

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
        if sizes and sizes[-1] != self.max_batch_size:
            return (
                "Last entry in allowed_batch_sizes must match max_batch_size; "
                f"last entry was {sizes[-1]}; expected {self.max_batch_size}"
            )
        return None


_COUNTS = ("max_batch_size", "max_enqueued_batches", "num_batch_threads")

_WRAPPED = {
    "max_batch_size": "Int64Value",
    "batch_timeout_micros": "Int64Value",
    "max_enqueued_batches": "Int64Value",
    "num_batch_threads": "Int64Value",
    "thread_pool_name": "StringValue",
    "max_execution_batch_size": "Int64Value",
    "enable_large_batch_splitting": "BoolValue",
}


def _message() -> Any:
    file = FileDescriptorProto(name="batching_parameters.proto", package="tensorflow.serving", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="BatchingParameters")
    optional, repeated = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
    for number, (name, wrapper) in enumerate(_WRAPPED.items(), start=1):
        wrapped = message.field.add(name=name, number=number, label=optional, type=FieldDescriptorProto.TYPE_MESSAGE)
        wrapped.type_name = f".google.protobuf.{wrapper}"
    number = len(_WRAPPED)
    message.field.add(
        name="allowed_batch_sizes", number=number + 1, label=repeated, type=FieldDescriptorProto.TYPE_INT64
    )
    message.field.add(
        name="pad_variable_length_inputs", number=number + 2, label=optional, type=FieldDescriptorProto.TYPE_BOOL
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.serving.BatchingParameters"))
