"""What may be done here, in five words, and the roles that are bundles of them. Pure."""

from enum import StrEnum


class Action(StrEnum):
    """What a route does; each names one."""

    VIEW = "view"
    """See a stream: its video, its detections, that it exists."""
    PUBLISH = "publish"
    """Send a stream in by WHIP."""
    OPERATE = "operate"
    """Add, change, pause and remove streams, and examine cameras, within what `api_streams` allows."""
    ADMINISTER = "administer"
    """Users, tokens, the audit."""
    METRICS = "metrics"
    """Read the numbers, as Prometheus does."""


ACTIONS = frozenset(Action)


class Role(StrEnum):
    """What a user is here."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def actions(self) -> frozenset[Action]:
        """What the role allows."""
        return _ALLOWED[self]


_ALLOWED = {
    Role.VIEWER: frozenset({Action.VIEW}),
    Role.OPERATOR: frozenset({Action.VIEW, Action.PUBLISH, Action.OPERATE}),
    Role.ADMIN: ACTIONS,
}
