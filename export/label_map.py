"""Label maps: class id to class name, read from the three forms training tools leave behind. Pure.

.pbtxt   StringIntLabelMap of the TensorFlow Object Detection API (protos/string_int_label_map.proto):
         item { id: 1  name: "/m/01g317"  display_name: "person" }. `display_name` wins where it is given, because
         `name` may be a machine id; ids start at 1, an id 0 is a background class and is kept as it stands.
.txt     one name a line, ids counted from 1; blank lines and lines that start with # do not count.
.json    {"1": "insulator", "2": "defect"}, or a list of names, ids counted from 1.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from sightline_export.errors import Unusable

_TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | (?P<brace>[{}]) | (?P<word>[A-Za-z_]\w*)\s*:? |
        (?P<number>-?\d+) | "(?P<double>(?:\\.|[^"\\\n])*)" | '(?P<single>(?:\\.|[^'\\\n])*)' | [,;]""",
    re.VERBOSE,
)


def read_label_map(path: Path) -> dict[int, str]:
    """Read a label map, ids in ascending order.

    Raises:
        Unusable: the file cannot be read, is of another form, or gives an id twice.
    """
    readers = {".pbtxt": _pbtxt, ".txt": _txt, ".json": _json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Unusable(f"label map {path} is a {path.suffix or 'plain'} file; known are {', '.join(readers)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unusable(f"cannot read label map {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"label map {path} is no UTF-8 text") from error
    try:
        return _unique(reader(text))
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


def _unique(pairs: Iterable[tuple[int, str]]) -> dict[int, str]:
    labels: dict[int, str] = {}
    for class_id, name in pairs:
        if class_id in labels:
            raise ValueError(f"id {class_id} is given twice, to {labels[class_id]!r} and {name!r}")
        if class_id < 0:
            raise ValueError(f"id {class_id} of {name!r} is negative")
        labels[class_id] = name
    if not labels:
        raise ValueError("it names no class")
    return dict(sorted(labels.items()))


def _txt(text: str) -> Iterable[tuple[int, str]]:
    names = [line.strip() for line in text.splitlines()]
    return enumerate((name for name in names if name and not name.startswith("#")), start=1)


def _json(text: str) -> Iterable[tuple[int, str]]:
    def pairs(found: list[tuple[str, object]]) -> list[tuple[str, object]]:
        # json's own dict would silently keep the last of two equal ids.
        return found

    document = json.loads(text, object_pairs_hook=pairs)
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


def _pbtxt(text: str) -> Iterable[tuple[int, str]]:
    # A reader of its own: the proto ships with the Object Detection API, which is not a dependency.
    depth, field, item = 0, "", dict[str, str]()
    for position, kind, value in _tokens(text):
        if kind == "brace":
            depth += 1 if value == "{" else -1
            if depth == 1 and value == "{":
                item = {}
            elif depth == 0:
                if "id" not in item or not (item.get("display_name") or item.get("name")):
                    raise ValueError(f"the item that ends on line {_line(text, position)} lacks its id or its name")
                yield _number(item["id"]), item.get("display_name") or item["name"]
            elif depth < 0:
                raise ValueError(f"unexpected }} on line {_line(text, position)}")
        elif kind == "word":
            field = value
        elif depth == 1:
            item[field] = value
    if depth:
        raise ValueError("the last item is not closed")


def _tokens(text: str) -> Iterable[tuple[int, str, str]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"line {_line(text, position)} is not of the form item {{ id: 1 name: 'x' }}")
        if match.lastgroup is not None:
            value = match[match.lastgroup]
            if match.lastgroup in ("double", "single"):
                value = re.sub(r"\\(.)", r"\1", value)
            yield match.start(), match.lastgroup, value
        position = match.end()


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
