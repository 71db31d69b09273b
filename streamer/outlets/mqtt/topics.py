"""Where messages go: docs/mqtt.md lists all topics. Pure.

Names hold no / and no wildcard (values/name.py), so each is one level of a topic.
"""

from dataclasses import dataclass

HOLDS = ("state", "counts", "picture", "event_picture")
"""What the broker holds of each stream."""


@dataclass(frozen=True, slots=True)
class Topics:
    """All below one prefix."""

    prefix: str

    @property
    def status(self) -> str:
        """Whether we are there."""
        return f"{self.prefix}/status"

    @property
    def test(self) -> str:
        """For who tries whether it works."""
        return f"{self.prefix}/test"

    @property
    def identifier(self) -> str:
        """Our name at the broker: the same each time, so that what is left of a lost connection ends with the next."""
        return self.prefix.replace("/", "-")

    def stream(self, name: str, what: str) -> str:
        """One of a stream's: one of HOLDS, event or command."""
        return f"{self.prefix}/streams/{name}/{what}"

    def alert(self, rule: str) -> str:
        """Where a rule's alerts are told."""
        return f"{self.prefix}/alerts/{rule}"

    def rule(self, rule: str, what: str) -> str:
        """Another of a rule's: state or command."""
        return f"{self.prefix}/alerts/{rule}/{what}"

    @property
    def command(self) -> str:
        """For what is about everything."""
        return f"{self.prefix}/command"

    @property
    def commands(self) -> tuple[str, ...]:
        """Where we are told what to do."""
        return (self.command, self.stream("+", "command"), self.rule("+", "command"))

    @property
    def held(self) -> tuple[str, ...]:
        """By which we learn of what streams and rules the broker still holds something."""
        return (self.stream("+", "state"), self.rule("+", "state"))

    def target(self, topic: str) -> tuple[str | None, str | None]:
        """Whose topic it is: (stream, rule); neither where it is nobody's."""
        match topic.removeprefix(f"{self.prefix}/").split("/"):
            case ["streams", stream, _]:
                return stream, None
            case ["alerts", rule, _]:
                return None, rule
        return None, None
