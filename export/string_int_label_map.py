"""StringIntLabelMap, the text that the TensorFlow Object Detection API writes and reads as a .pbtxt.

The message is described here as in its research/object_detection/protos/string_int_label_map.proto, and read by
protobuf's own parser: escapes, strings in several parts, hexadecimal ids, <> and lists mean what they mean there.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pool, message_factory, text_format
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

_FIELD = FieldDescriptorProto
_KEYPOINT = {"id": _FIELD.TYPE_INT32, "label": _FIELD.TYPE_STRING}
_ITEM = {"name": _FIELD.TYPE_STRING, "id": _FIELD.TYPE_INT32, "display_name": _FIELD.TYPE_STRING}
# Of no use here, but described, so that every form of them is passed over; the parser skips what it does not know.
_LISTS = {"ancestor_ids": _FIELD.TYPE_INT32, "descendant_ids": _FIELD.TYPE_INT32}


def read_items(text: str) -> Iterator[tuple[int, str]]:
    """The id and name of each item, in the order of the text; `display_name` wins where it is given.

    Raises:
        ValueError: where the text is not of that form, or which item lacks its id or its name.
    """
    for number, item in enumerate(_parse(text).item, start=1):
        name = item.display_name or item.name
        if not item.HasField("id"):
            raise ValueError(f"item {number} ({name or 'without a name'}) lacks its id")
        if not name:
            raise ValueError(f"item {number} (id {item.id}) lacks its name")
        yield item.id, name


def _parse(text: str) -> Any:
    message = _StringIntLabelMap()
    try:
        text_format.Parse(text, message, allow_unknown_field=True)
    except text_format.ParseError as error:
        line = error.GetLine()
        place = f"line {line} is" if line else "it is"
        raise ValueError(f"{place} not of the form item {{ id: 1 name: 'x' }}: {_reason(error, text)}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return message


def _reason(error: text_format.ParseError, text: str) -> str:
    """What the parser says, without the place and the line that it puts before it."""
    said = str(error)
    if (line := error.GetLine()) is None:
        return said
    said = said.removeprefix(f"{line}:{error.GetColumn()} : ")
    lines = text.split("\n")
    return said.removeprefix(f"'{lines[line - 1]}': ") if line <= len(lines) else said


def _message() -> Any:
    package = "object_detection.protos"
    # proto2, as theirs: only there an id of 0 is told from none.
    file = FileDescriptorProto(name="string_int_label_map.proto", package=package, syntax="proto2")
    for name, fields in (("KeypointMap", _KEYPOINT), ("StringIntLabelMapItem", _ITEM), ("StringIntLabelMap", {})):
        message = file.message_type.add(name=name)
        for field, kind in fields.items():
            _add(message, field, kind, _FIELD.LABEL_OPTIONAL)
    _, item, labels = file.message_type
    for field, kind in _LISTS.items():
        _add(item, field, kind, _FIELD.LABEL_REPEATED)
    _add(item, "keypoints", _FIELD.TYPE_MESSAGE, _FIELD.LABEL_REPEATED, f".{package}.KeypointMap")
    _add(labels, "item", _FIELD.TYPE_MESSAGE, _FIELD.LABEL_REPEATED, f".{package}.StringIntLabelMapItem")
    pool = descriptor_pool.DescriptorPool()  # its own: where that library is installed, it defines the same names
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.StringIntLabelMap"))


def _add(message: DescriptorProto, name: str, kind: Any, label: Any, of: str = "") -> None:
    message.field.add(name=name, number=len(message.field) + 1, type=kind, label=label, type_name=of or None)


_StringIntLabelMap = _message()
