"""Labels as the training repository's csv: a box a row, in whole pixels. A picture without boxes has no row."""

import csv
import io
from collections.abc import Iterable, Mapping

from streamer.annotate.answer import Answer, pixels_of
from streamer.annotate.form import Answers

COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")


class Table:
    """The form `csv`."""

    suffix = None
    trains = True

    def label(self, _: Answer, _labels: Mapping[int, str]) -> bytes:
        """No picture has its own."""
        return b""

    def whole(self, answers: Answers, _: Mapping[int, str]) -> Iterable[tuple[str, bytes]]:
        """labels.csv."""
        yield "labels.csv", head() + b"".join(map(rows, answers()))


def head() -> bytes:
    """The first line."""
    return _written([COLUMNS])


def rows(answer: Answer) -> bytes:
    """A picture's lines."""
    about = (answer.name, answer.width, answer.height)
    return _written((*about, each.label, *pixels_of(each.box, answer.width, answer.height)) for each in answer.found)


def _written(lines: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode(errors="surrogateescape")  # a file's name may be no UTF-8
