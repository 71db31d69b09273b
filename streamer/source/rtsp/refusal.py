"""What an RTSP status means, in the words of the API (RFC 2326 section 11)."""

from streamer.source.failure import printable
from streamer.source.login import challenges_of, realm_of, strongest
from streamer.source.rtsp.message import Response
from streamer.values import url as urls
from streamer.values.errors import SourceError

KNOWN = "known are Basic, and Digest with MD5, SHA-256 and SHA-512-256"


def refusal(method: str, response: Response, realm: str | None = None) -> SourceError:
    """Why a camera does not do what it was asked for; `realm` is what it was logged in to."""
    status = response.status
    if status == 401:
        realm = realm_of(response.fields.all("www-authenticate"))
        challenges = challenges_of(response.fields.all("www-authenticate"))
        if challenges and strongest(challenges) is None:
            return SourceError("authentication", f"the camera wants a log-in that is not known; {KNOWN}", realm=realm)
        return SourceError("authentication", "the camera refuses the user name or password", realm=realm)
    if status == 403:
        return SourceError("authentication", "the camera forbids this user to watch", realm=realm)
    if status in (404, 410):
        return SourceError("not_found", "the camera has no stream at this path")
    why = urls.redact(printable(response.reason))
    return SourceError("protocol", f"the camera answers {method} with {status}" + (f" ({why})" if why else ""))
