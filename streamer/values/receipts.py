"""What one viewer was sent and may say he has seen. Pure; whoever reports may be broken, or lie.

He can say something of what he was sent, once of each, and nothing that cannot be: what is wrong otherwise moves the
figures of his own pictures, by `LATEST` at the most.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

MOST = 300
"""Pictures a viewer may report at any time, the newest: ten seconds of 30 a second."""
LATEST = 10.0
"""Seconds from sending to seeing at most."""
SLACK = 0.02
"""Seconds by which clocks of two machines may disagree beyond what is known of how well they were compared."""

Disbelief = Literal["unknown", "early", "late", "future", "clock"]
"""Why what is said of a picture is not believed: nothing of the kind was sent, or two were, or it was said before; it
was seen before it was sent, too long after, or after now; the clock it is told by was not compared well enough."""
DISBELIEFS: tuple[Disbelief, ...] = ("unknown", "early", "late", "future", "clock")


REPORTS, AT_ONCE = 1.0, 6.0
"""Reports a second, and at once: a page sends one every two seconds, and some at first to compare its clock."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One picture that a viewer has seen. Monotonic seconds."""

    picture: Hashable
    """What was sent: EncodedPacket.pts of a drawn one, (opening, time) of one that went as it came."""
    sent_at: float
    """When his connection took it."""
    received_at: float | None
    """When he had all of it; None: he does not tell."""
    painted_at: float
    """When it was on his screen."""


class Receipts:
    """Of one viewer."""

    def __init__(self, began_at: float = 0.0) -> None:
        self.began_at = began_at
        """Monotonic; the beginning of the clock that the viewer is told."""
        self._sent: OrderedDict[Hashable, tuple[Hashable, float] | None] = OrderedDict()
        """None: of two pictures by that name."""
        self._left, self._at = AT_ONCE, began_at

    def __len__(self) -> int:
        """Pictures that may be reported."""
        return len(self._sent)

    def may_report(self, now: float) -> bool:
        """Whether a report is not one too many; it is counted."""
        self._left = min(AT_ONCE, self._left + REPORTS * max(0.0, now - self._at))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def sent(self, identity: Hashable, picture: Hashable, at: float) -> None:
        """A picture was handed to his connection, which names it by `identity`.

        A camera that is opened anew, or its other video, may give a time a second time: whoever reports it could mean
        either.
        """
        before = self._sent.get(identity, (picture, at))
        self._sent[identity] = (picture, at) if before is not None and before[0] == picture else None
        if len(self._sent) > MOST:
            self._sent.popitem(last=False)

    def take(
        self, identity: Hashable, received_at: float | None, painted_at: float, *, now: float, slack: float = 0.0
    ) -> Receipt | Disbelief:
        """What he says of a picture, or why it is not believed; either way it is said.

        Args:
            identity: by which his connection names it.
            received_at: when he had it, by our clock as far as he knows it.
            painted_at: when he saw it.
            now: by our clock.
            slack: seconds by which he may mistake our clock.
        """
        found = self._sent.pop(identity, None)
        if found is None:
            return "unknown"
        picture, sent_at = found
        slack += SLACK
        # Asked in the affirmative: what is no number fails each.
        if not painted_at >= sent_at - slack:
            return "early"
        if not painted_at <= sent_at + LATEST:
            return "late"
        if not painted_at <= now + slack:
            return "future"
        painted_at = max(painted_at, sent_at)
        if received_at is not None:
            received_at = min(max(received_at, sent_at), painted_at) if received_at == received_at else None
        return Receipt(picture, sent_at, received_at, painted_at)
