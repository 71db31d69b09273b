"""The configuration files that are text protos of messages tensorflow-serving-api leaves out.

Only their text form is ever read, so a message is described here by its fields' names and types alone:

    message_class("tensorflow.serving.MonitoringConfig", {"prometheus_config": {"enable": "bool", "path": "string"}})
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf import descriptor_pool, message_factory, text_format, wrappers_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from serving.errors import StartError

Fields: TypeAlias = "Mapping[str, str | Fields]"
"""Field names to types, written as in a .proto file: `int64`, `repeated int64`, `google.protobuf.Int64Value` or another
of the wrappers; or to the fields of a message that is nested there."""


def message_class(name: str, fields: Fields) -> Any:
    """A proto3 message class by its full name; the fields' numbers are their places in `fields`."""
    package, _, short = name.rpartition(".")
    file = FileDescriptorProto(name=f"{name}.proto", package=package, syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    _describe(file.message_type.add(name=short), name, fields)
    pool = descriptor_pool.DescriptorPool()  # its own: TensorFlow Serving's code may define the same name in another
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def read(path: Path, message: Any, flag: str, *, secret: bool = False) -> Any:
    """Read a file into a new message of the class `message`; `flag` named the file, as in `--ssl_config_file`.

    What is wrong is said in protobuf's words, which quote the line; of a `secret` file only the place is told.

    Raises:
        StartError: one line: the file cannot be read, or where in it a field is unknown or its value not allowed.
    """
    made = message()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), made)
    except OSError as error:
        raise StartError(f"{flag} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StartError(f"{flag} {path}: {error}") from error
    except text_format.ParseError as error:
        wrong = f"{error.GetLine()}:{error.GetColumn()} : not valid text of {message.DESCRIPTOR.name}"
        raise StartError(f"{flag} {path}:{wrong if secret else ' '.join(str(error).split())}") from None
    return made


def _describe(message: DescriptorProto, full_name: str, fields: Fields) -> None:
    for number, (name, kind) in enumerate(fields.items(), start=1):
        field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
        if not isinstance(kind, str):
            nested = message.nested_type.add(name=f"{name}_fields")
            _describe(nested, f"{full_name}.{nested.name}", kind)
            kind = f"{full_name}.{nested.name}"
        elif kind.startswith("repeated "):
            field.label = FieldDescriptorProto.LABEL_REPEATED
            kind = kind.removeprefix("repeated ")
        if "." in kind:
            field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{kind}"
        else:
            field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
