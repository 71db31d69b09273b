"""The forms that labels are written in, by the word that `--format` has for each."""

from streamer.annotate.coco import Coco
from streamer.annotate.documents import Documents
from streamer.annotate.form import Form
from streamer.annotate.table import Table
from streamer.annotate.voc import PascalVoc
from streamer.annotate.yolo import Yolo

FORMS: dict[str, Form] = {
    "json": Documents(),
    "coco": Coco(),
    "voc": PascalVoc(),
    "yolo": Yolo(),
    "csv": Table(),
}
