"""Label maps: class id to class name, read from the three forms training tools leave behind.

.pbtxt   StringIntLabelMap of the TensorFlow Object Detection API (see `string_int_label_map`):
         item { id: 1  name: "/m/01g317"  display_name: "person" }. `display_name` wins where it is given, because
         `name` may be a machine id; ids start at 1, an id 0 is a background class and is kept as it stands.
.txt     one name a line, ids counted from 1; blank lines and lines that start with # do not count.
.json    {"1": "insulator", "2": "defect"}, or a list of names, ids counted from 1.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from sightline_export.errors import Unusable
from sightline_export.string_int_label_map import read_items

MOST_BYTES = 4_000_000
"""Of a file: more than all classes of any public data set take."""
MOST_CHARACTERS = 256
"""Of a name."""
MOST_ID = 2**31 - 1
"""As in StringIntLabelMap."""


def read_label_map(path: Path) -> dict[int, str]:
    """Read a label map, ids in ascending order.

    Raises:
        Unusable: the file cannot be read, is too large or of another form, or gives an id twice.
    """
    readers = {".pbtxt": read_items, ".txt": _txt, ".json": _json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Unusable(f"label map {path} is a {path.suffix or 'plain'} file; known are {', '.join(readers)}")
    text = _text(path)
    try:
        return checked(reader(text))
    except ValueError as error:
        raise Unusable(f"label map {path}: {error}") from error


def fit_labels(labels: dict[int, str], path: Path, first: int, classes: int | None) -> dict[int, str]:
    """The labels, if the model can mean them all; an id 0 may name the background.

    Args:
        labels: what `path` holds.
        path: the label map, for the message.
        first: the id of the model's first class.
        classes: how many classes the model tells apart; None where that is not known.

    Raises:
        Unusable: an id is beyond the model's classes, so the map is another model's, or ids count otherwise.
    """
    if classes is None:
        return labels
    last = first + classes - 1
    if beyond := [class_id for class_id in labels if class_id and not first <= class_id <= last]:
        raise Unusable(
            f"label map {path}: id {beyond[0]} ({labels[beyond[0]]}) is out of range: "
            f"the model has {classes} classes, ids {first} to {last}"
        )
    return labels


def checked(pairs: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Ids and names as a label map, ids in ascending order.

    Raises:
        ValueError: an id is given twice or out of range, or a name is no text of 1 to MOST_CHARACTERS.
    """
    labels: dict[int, str] = {}
    for class_id, name in pairs:
        if not 1 <= len(name) <= MOST_CHARACTERS:
            raise ValueError(
                f"the name of id {class_id} has {len(name)} characters; 1 to {MOST_CHARACTERS} are allowed"
            )
        if any("\ud800" <= character <= "\udfff" for character in name):  # JSON can write half a character
            raise ValueError(f"the name of id {class_id}, {name!r}, is no text")
        if class_id in labels:
            raise ValueError(f"id {class_id} is given twice, to {labels[class_id]!r} and {name!r}")
        if class_id < 0:
            raise ValueError(f"id {class_id} of {name!r} is negative")
        if class_id > MOST_ID:
            raise ValueError(f"id {class_id} of {name!r} is too large; at most {MOST_ID}")
        labels[class_id] = name
    if not labels:
        raise ValueError("it names no class")
    return dict(sorted(labels.items()))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unusable(f"cannot read label map {path}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise Unusable(f"label map {path} is larger than {MOST_BYTES // 1_000_000} MB, the most that is read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"label map {path} is no UTF-8 text") from error


def _txt(text: str) -> Iterable[tuple[int, str]]:
    names = [line.strip() for line in text.splitlines()]
    return enumerate((name for name in names if name and not name.startswith("#")), start=1)


def _json(text: str) -> Iterable[tuple[int, str]]:
    def pairs(found: list[tuple[str, object]]) -> list[tuple[str, object]]:
        # json's own dict would silently keep the last of two equal ids.
        return found

    try:
        document = json.loads(text, object_pairs_hook=pairs)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(document, list) or not document:
        raise ValueError('expected {"1": "name", …} or a list of names')
    entries = list(enumerate(document, start=1)) if isinstance(document[0], str) else document
    for entry in entries:
        if not isinstance(entry, tuple) or not isinstance(entry[1], str):
            raise ValueError('expected {"1": "name", …} or a list of names')
        yield _number(entry[0]), entry[1]


def _number(text: object) -> int:
    try:
        return int(str(text))
    except ValueError:
        raise ValueError(f"{text!r} is no class id (a whole number)") from None
