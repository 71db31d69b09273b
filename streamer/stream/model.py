"""What a stream needs of the model it asks."""

from typing import Protocol

from serving.signature import Contract
from streamer.inference.slot import Slot


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

    def offer(self, slot: Slot) -> None:
        """The stream is due: its slot is told once what comes of it, and where this raises not at all."""

    def withdraw(self, slot: Slot) -> None:
        """The stream does not want it any more: where it is still open it is told so at once."""
