"""What every form of labels is: a file for each picture, files for all of them together, or both. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from streamer.annotate.answer import Answer

Answers = Callable[[], Iterable[Answer]]
"""Gives all of them anew, by name."""


class Form(Protocol):
    """One of `forms.FORMS`."""

    @property
    def suffix(self) -> str | None:
        """Of a picture's own file, such as ".xml"; None: it has none."""

    @property
    def trains(self) -> bool:
        """Whether it is read beside the pictures, so that a video's frames must be there as pictures."""

    def label(self, answer: Answer, labels: Mapping[int, str]) -> bytes:
        """A picture's own file.

        Args:
            answer: about the picture.
            labels: the model's, by class id.
        """

    def whole(self, answers: Answers, labels: Mapping[int, str]) -> Iterable[tuple[str, bytes]]:
        """The files about all pictures: name and content of each."""
