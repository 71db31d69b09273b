"""What the API has the doctor examine: a URL, within the limits of what is added there, or a stream by its name."""

from typing import Any

from streamer.config import ApiStreamsSettings, parse_stream
from streamer.control.roster import Roster
from streamer.control.targets import target_of, target_of_entry
from streamer.source import Target
from streamer.values.errors import Refused


def examinee(settings: dict[str, Any], roster: Roster, policy: ApiStreamsSettings) -> tuple[Target, float]:
    """The camera, and the pictures a second that the model is to see.

    Args:
        settings: a stream's, as the API is given them; or `stream` alone, its name.
        roster: the streams that there are to be.
        policy: for what the API adds.

    Raises:
        ConfigError: the settings cannot be.
        Refused: 403 they name a file of this machine, 404 no such stream, 409 its port is taken, 422 they mix both.
    """
    if "stream" in settings:
        return _running(settings, roster, policy)
    stream = parse_stream("doctor", settings)
    if stream.tls.ca is not None:
        raise Refused(403, "tls.ca: names a file of this machine, as only the configuration file may")
    return target_of(stream, policy), stream.sample_fps


def _running(settings: dict[str, Any], roster: Roster, policy: ApiStreamsSettings) -> tuple[Target, float]:
    """A stream by its name, with the settings and limits it runs with."""
    if settings.keys() != {"stream"}:
        raise Refused(422, "stream: goes with no setting but still; a stream is examined as it is set")
    name = settings["stream"]
    if not isinstance(name, str):
        raise Refused(422, "stream: is not allowed; it must be a stream's name")
    entry = roster.require(name)
    target = target_of_entry(entry, policy)
    if target.waits and not entry.paused:
        raise Refused(
            409, f"{name!r} waits for its camera at a port where nobody else can; its `reason` says what came"
        )
    return target, entry.settings.sample_fps
