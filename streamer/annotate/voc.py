"""Labels as Pascal VOC's XML, as LabelImg writes it: one file a picture.

The order of the elements is part of the form: many a script takes an object's fifth for its box.
"""

import re
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from streamer.annotate.answer import Answer, Found, pixels_of
from streamer.annotate.form import Answers

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What cannot stand in XML 1.0 at all, not even escaped (section 2.2)."""


class PascalVoc:
    """The form `voc`."""

    suffix = ".xml"
    trains = True

    def label(self, answer: Answer, _labels: Mapping[int, str]) -> bytes:
        """One annotation."""
        folder, _slash, name = answer.name.rpartition("/")
        objects = "".join(_object(each, answer) for each in answer.found)
        return (
            "<annotation>\n"
            f"  <folder>{_text(folder)}</folder>\n"
            f"  <filename>{_text(name)}</filename>\n"
            "  <source><database>Sightline</database></source>\n"
            f"  <size><width>{answer.width}</width><height>{answer.height}</height><depth>3</depth></size>\n"
            "  <segmented>0</segmented>\n"
            f"{objects}"
            "</annotation>\n"
        ).encode()

    def whole(self, _answers: Answers, _labels: Mapping[int, str]) -> Iterable[tuple[str, bytes]]:
        """Nothing beside them."""
        return ()


def _object(each: Found, answer: Answer) -> str:
    x_min, y_min, x_max, y_max = pixels_of(each.box, answer.width, answer.height)
    return (
        "  <object>\n"
        f"    <name>{_text(each.label)}</name>\n"
        "    <pose>Unspecified</pose>\n"
        f"    <truncated>{int(_touches_border(each, answer))}</truncated>\n"
        "    <difficult>0</difficult>\n"
        f"    <bndbox><xmin>{x_min}</xmin><ymin>{y_min}</ymin><xmax>{x_max}</xmax><ymax>{y_max}</ymax></bndbox>\n"
        "  </object>\n"
    )


def _touches_border(each: Found, answer: Answer) -> bool:
    """As LabelImg sets it: a box that ends where the picture does."""
    x_min, y_min, x_max, y_max = each.box
    return x_min < 1 or y_min < 1 or x_max > answer.width - 1 or y_max > answer.height - 1


def _text(said: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", said))
