"""What can go wrong, as text and numbers only, so that every room may import this.

SightlineError
├── ConfigError          the configuration, a URL or an option cannot be used: exit code 2, or 422 through the API
├── SourceError          a camera cannot be read, or may not be: `kind` is one of SourceErrorKind; source, doctor
├── PredictError         the model server did not answer: `code` is a gRPC status name; inference
├── Refused              a request is not met: `status` is HTTP's, 4xx, or 502 and 503; http, control, webrtc, access
├── Overloaded           a limit is reached, or the end: HTTP 503 with Retry-After; control, doctor
└── tools.child.ChildEnded   a process of a command ended before it was of use

SightlineError itself ends `bench` and `evaluate` where something they measure does not happen: exit code 1.
"""

from typing import Literal

SourceErrorKind = Literal[
    "authentication", "not_found", "dns", "refused", "unreachable", "tls", "timeout", "stalled", "ended", "codec",
    "too_large", "redirected", "forbidden", "unsupported", "waiting", "protocol", "failed",
]  # fmt: skip
"""The same words in the API, on the page, in the metric label and in the log."""


class SightlineError(Exception):
    """Anything Sightline raises on purpose; its text is one sentence fit for a person."""


class ConfigError(SightlineError):
    """The configuration, or whoever gives a command or a request, names something that cannot be used."""


class SourceError(SightlineError):
    """A source could not be opened, stopped delivering, or leads where it may not."""

    def __init__(self, kind: SourceErrorKind, sentence: str, *, realm: str | None = None) -> None:
        super().__init__(sentence)
        self.kind: SourceErrorKind = kind
        self.realm = realm
        """What the camera calls the place whose password it asks for (RFC 9110 section 11.5), where it said so."""


class PredictError(SightlineError):
    """The model server refused, failed or did not answer in time."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Refused(SightlineError):
    """What somebody asked for over HTTP and does not get, by whichever room: `status` is HTTP's word for it."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}
        """Go with it."""


class Overloaded(SightlineError):
    """A limit is reached, or the service is stopping; come back in `retry_after` seconds."""

    def __init__(self, sentence: str, retry_after: int = 5) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
