"""How much of what a camera sends is decoded: what somebody looks at, or no more than the model is asked about."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Depth:
    """What is wanted of a source's pictures from now on. Set by whoever takes them, obeyed in the source's thread."""

    is_whole: bool = True
    """Whether each is, as good as it can be had: somebody looks at them."""
    wanted_at: float = 0.0
    """Else the monotonic arrival from which on the next one is; infinite: none is, and keyframes will do."""
    slack: float = 0.0
    """Seconds by which a picture may come sooner or later than that and do as well."""


WHOLE: Final = Depth()
