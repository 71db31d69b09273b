"""Signed links to pictures and clips."""

from typing import Annotated

from pydantic import Field

from streamer.access.link import LONGEST_SECONDS
from streamer.http.bodies.body import Body


class NewLink(Body):
    """`POST /api/links`."""

    path: Annotated[str, Field(max_length=256)]
    """`/api/streams/{name}/frame.jpg`, `/api/streams/{name}/recordings/clip.mp4?from=…&to=…`, or of an event
    `/api/events/{id}/picture?stream={name}`, also `thumbnail`."""
    seconds: Annotated[int, Field(ge=1, le=LONGEST_SECONDS)]
    """For how long it leads there."""


class MadeLink(Body):
    """Its answer."""

    url: str
    """Without scheme and host: behind those that the service is reached by."""
    expires_at: float
    """Seconds since 1970."""
