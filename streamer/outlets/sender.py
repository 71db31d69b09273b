"""Who brings one notification to one receiver, and what may come of it instead."""

from typing import Protocol

from streamer.values.errors import SightlineError
from streamer.values.event import Picture
from streamer.values.notification import Notification


class Undelivered(SightlineError):
    """One attempt failed, and another may not. Its text is a clause about the receiver that holds no secret."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        """Seconds in which the receiver wants to hear nothing of us; None: it did not say."""


class Unwelcome(Undelivered):
    """The receiver does not take this notification, and may well take others."""


class Gone(Undelivered):
    """The receiver wants nothing any more."""


class Sender(Protocol):
    """To one receiver."""

    @property
    def wants_picture(self) -> bool:
        """Whether a picture goes with what it is told."""

    async def send(self, notification: Notification, picture: Picture | None) -> None:
        """Bring it there. Returns once the receiver has it.

        Args:
            notification: what it is told.
            picture: the event's, where one is wanted and there is one.

        Raises:
            Undelivered: it has it not, or nobody knows.
        """
