"""What can go wrong, as text and numbers only, so that every room may import this.

SightlineError
├── ConfigError          the configuration cannot be used: exit code 2
├── SourceError          a stream's source failed: `kind` is one of SourceErrorKind
├── PredictError         the model server did not answer: `code` is a gRPC status name
├── Refused              a request is not met: `status` is HTTP's, 4xx
└── Overloaded           a limit is reached: HTTP 503 with Retry-After
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
    """The configuration names something that cannot be used."""


class SourceError(SightlineError):
    """A source could not be opened, or stopped delivering."""

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
    """What somebody asked for over HTTP and does not get: `status` is HTTP's word for it, `headers` go with it."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


class Overloaded(SightlineError):
    """A configured limit is reached; come back in `retry_after` seconds."""

    def __init__(self, sentence: str, retry_after: int = 5) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
