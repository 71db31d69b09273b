"""Labels as JSON: for each picture what `POST /api/detect` answers about it."""

import json
from collections.abc import Iterable, Mapping

from streamer.annotate.answer import Answer
from streamer.annotate.form import Answers


class Documents:
    """The form `json`."""

    suffix = ".json"
    trains = False

    def label(self, answer: Answer, _: Mapping[int, str]) -> bytes:
        """One document."""
        return f"{json.dumps(answer.document(), indent=2)}\n".encode()

    def whole(self, _answers: Answers, _labels: Mapping[int, str]) -> Iterable[tuple[str, bytes]]:
        """Nothing beside them."""
        return ()
