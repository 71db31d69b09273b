"""Signing in, and where one is signed in."""

from streamer.access.action import Action, Role
from streamer.access.principal import Kind
from streamer.http.bodies.body import Body


class SignIn(Body):
    """`POST /api/session`."""

    name: str
    password: str


class NewPassword(Body):
    """`PUT /api/session/password`."""

    old: str
    new: str


class WhoAsks(Body):
    """A principal."""

    kind: Kind
    name: str
    role: Role | None
    """Of a user known here; null: somebody else."""
    actions: tuple[Action, ...]
    """What may be done, to some stream or to none."""
    streams: tuple[str, ...]
    """Names or patterns of those that may be seen."""


class SignInElsewhere(Body):
    """OpenID Connect."""

    name: str
    """What its button says."""
    path: str
    """Where it begins."""


class WaysIn(Body):
    """How one may sign in."""

    password: bool
    """There are users, so a name and a password may be asked for."""
    oidc: SignInElsewhere | None


class CurrentSession(Body):
    """The answer of `/api/session`."""

    principal: WhoAsks
    open: bool
    """Nobody is asked who he is."""
    sign_in: WaysIn
    expires_at: float | None
    """Seconds since 1970; null: it is no session that lets him in."""


class WhoseSessions(Body):
    """What `/api/sessions` is asked for."""

    user: str | None = None
    """Whose, for administrators; not there: one's own."""


class ListedSession(Body):
    """One of `GET /api/sessions`."""

    id: str
    user: str
    begun_at: float
    expires_at: float
    address: str
    agent: str
    """The browser, as it calls itself."""
    current: bool
    """The one that asks."""
