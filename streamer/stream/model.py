"""What a stream needs of the model it asks."""

from typing import Protocol

from serving.signature import Contract
from streamer.inference.batcher import Answer
from streamer.values.frame import Sample


class Model(Protocol):
    """One stream's."""

    @property
    def name(self) -> str:
        """As the model server knows it."""

    @property
    def contract(self) -> Contract | None:
        """Its input size and labels; None before it was first met."""

    @property
    def up(self) -> bool:
        """Whether it answers."""

    @property
    def reason(self) -> str | None:
        """Why it does not, as a sentence."""

    @property
    def has_room(self) -> bool:
        """Whether it has the time for tiles that nobody insists on."""

    def put(self, sample: Sample, answer: Answer) -> None:
        """Ask about a sample; `answer` is called once, and where this raises not at all."""
