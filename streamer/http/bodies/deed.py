"""The audit: who did what."""

from streamer.http.bodies.body import Body


class ListedDeed(Body):
    """One deed."""

    at: float
    """Seconds since 1970."""
    who: str
    what: str
    target: str
    """Whom or what it was done to."""
    address: str
    """From where."""
    ok: bool
    """Whether it was done; false: it was tried."""
    detail: str


class Deeds(Body):
    """The answer of `GET /api/audit`."""

    deeds: tuple[ListedDeed, ...]
    """The newest first."""
    cursor: str | None
    """Asks for those before; null: there are none."""
