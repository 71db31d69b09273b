"""What streams are doing now, as outlets see it, and who does what outlets are asked for. Values."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streamer.values.state import StreamState


@dataclass(frozen=True, slots=True)
class StreamNews:
    """Of one stream."""

    name: str
    state: StreamState
    things: Mapping[str, int] = field(default_factory=dict)
    """Confirmed things in view, by class."""
    zones: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The same of each zone; all zones are there."""
    labels: tuple[str, ...] = ()
    """The classes that its model tells apart, as far as they are known."""


class Look(Protocol):
    """Where outlets see what there is; asked once a second, and never slow."""

    def streams(self) -> Sequence[StreamNews] | None:
        """All of them; None: nobody can say now, since the service stops."""

    def rules(self) -> Sequence[str]:
        """Names of those that tell the outlet."""

    def picture(self, stream: str) -> Awaitable[bytes | None]:
        """The newest annotated picture, as a JPEG; None: there is none that is new."""


class Orders(Protocol):
    """Who does what is asked of us. Each may raise Refused or Overloaded, and says for itself who did what."""

    async def pause(self, stream: str) -> None:
        """Let go of a stream's camera."""

    async def resume(self, stream: str) -> None:
        """Connect it again."""

    async def snooze(self, seconds: float, rule: str | None, stream: str | None) -> None:
        """Tell nobody for so long: of a rule, of a stream, or of anything."""

    async def wake(self, rule: str | None, stream: str | None) -> None:
        """End what snooze began."""
