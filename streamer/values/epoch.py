"""Which claim to a stream a replica acts by. Values."""

from typing import NamedTuple


class Epoch(NamedTuple):
    """The greater one is the newer."""

    bucket: str
    """When the bucket of claims was made, in words that sort by time: in another one numbers begin again."""
    number: int
    """The claim's revision."""
