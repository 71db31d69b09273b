"""Who may publish a stream, and under which name. Pure."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from streamer.values.errors import Overloaded, Refused
from streamer.values.name import NAMES, is_name


@dataclass(frozen=True, slots=True)
class PublishingRights:
    """The rule for publishers."""

    names: tuple[str, ...]
    """Names, or patterns of them with * and ?; empty: nobody may."""
    max_publishers: int

    def require_name(self, name: str) -> None:
        """Check the name of a stream to be published.

        Raises:
            Refused: 400 it is none, 403 it may not be.
        """
        require_name(name)
        if not self.names:
            raise Refused(403, "publishing is switched off; ingress.names in the configuration allows names")
        if not any(fnmatchcase(name, pattern) for pattern in self.names):
            raise Refused(403, f"a stream {name!r} may not be published; ingress.names allows {', '.join(self.names)}")

    def require_room(self, publishing: int) -> None:
        """Check that one more may come.

        Raises:
            Overloaded: as many publish already as may.
        """
        if publishing >= self.max_publishers:
            raise Overloaded(f"all {self.max_publishers} places for publishers are taken (ingress.max_publishers)")


def require_name(name: str) -> None:
    """Check that a stream may be called that.

    Raises:
        Refused: 400.
    """
    if not is_name(name):
        raise Refused(400, f"a stream's name is {NAMES}")
