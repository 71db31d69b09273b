"""What to do about a source that failed, for each word of `SourceErrorKind`. Pure."""

from collections.abc import Sequence

from streamer.doctor.observation import Observation
from streamer.source.failure import printable
from streamer.source.rtsp.description import Track
from streamer.source.target import Target
from streamer.values import url
from streamer.values.errors import SourceErrorKind

RTSP_PATHS = (
    "the camera's manual names the path: /Streaming/Channels/101 (Hikvision), /cam/realmonitor?channel=1&subtype=0 "
    "(Dahua), /axis-media/media.amp (Axis), /stream1 (TP-Link); a program for ONVIF finds it too"
)
HTTP_PATHS = (
    "a camera's web page is not its video: the manual names the path, such as /axis-cgi/mjpg/video.cgi (Axis) or "
    "/video.mjpg; most have rtsp:// as well. One that is busy answers with an error too: close its other viewers"
)
ENCRYPTED = (
    'switch the encryption of the media off in the camera\'s settings (SRTP, RTP/SAVP, "secure RTP"); rtsps:// has the '
    "whole connection encrypted, and is played"
)
NO_PARAMETER_SETS = (
    "it sends no parameter sets (SPS and PPS), neither described nor in band, without which nobody can decode: "
    "set a keyframe interval of a second or two, restart it, renew its firmware"
)
REMEDIES: dict[SourceErrorKind, str] = {
    "dns": "write the camera's address instead of its name, or correct the name; where no name server answers, see to "
    "the one that this machine is set to ask",
    "refused": "compare the port: 554 is usual for RTSP, 8554 too, 322 for RTSPS, 1935 for RTMP. The camera may have "
    "this protocol switched off, or have as many viewers as it takes",
    "unreachable": "compare the address, and whether this machine's network has a way to the camera's",
    "stalled": "the camera hangs, or the network loses what it sends: restart it; if it stalls again, try a lower "
    "bitrate and its newest firmware",
    "ended": "the camera hung up: too many viewers, or it restarts. Look at its log, and try again",
    "codec": "set the camera to H.264 with a keyframe every second or two, and restart it; it may be H.265 or MJPEG",
    "too_large": "choose the camera's sub-stream, or a smaller size in its settings",
    "redirected": "write the URL it names, if you trust that host",
    "forbidden": "the operator decides with api_streams in the configuration file",
    "unsupported": "install what is missing, or have the camera send another way",
    "waiting": "start the encoder now, and let it push to this URL; a firewall may keep it out",
    "protocol": "compare scheme, port and path. Where they are right the camera may be busy: close its other viewers, "
    "or restart it",
    "failed": "the log has the details; a bug report with them helps",
}
"""Where nothing more is known. What depends on the circumstances is in `remedy`."""


def remedy(kind: SourceErrorKind, target: Target, seen: Observation) -> str:
    """What to do next, as one sentence without its full stop."""
    if kind == "authentication":
        return _login(target, seen.realm)
    if target.scheme == "udp" and kind in ("codec", "protocol", "timeout"):
        return "have the encoder send what is allowed, or compare the port: something else may be sending to this one"
    if kind == "timeout":
        return _silence(target, seen)
    if kind == "tls":
        return _certificate(target)
    if target.scheme == "file" and kind in ("not_found", "protocol", "codec"):
        return "name a video file by its whole path: file:///videos/road.mp4"
    if kind == "unreachable" and target.waits:
        return "something on this machine uses the port, the running service perhaps: stop it, or choose another port"
    if sent := _of_what_it_sends(kind, seen):
        return sent
    if target.scheme in ("http", "https"):
        if kind in ("not_found", "protocol"):
            return HTTP_PATHS
        if kind == "redirected":
            return "where it leads may be a login page, or another host than you trust"
    return RTSP_PATHS if kind == "not_found" else REMEDIES[kind]


def _of_what_it_sends(kind: SourceErrorKind, seen: Observation) -> str | None:
    """The remedy for what an RTSP camera sends; None: it is not that."""
    if kind in ("codec", "protocol") and (heard := _heard(seen)):
        return f"{heard}; choose another path or profile of the camera, one with video"
    if kind == "unsupported" and any(track.encrypted for track in _tracks(seen)):
        return ENCRYPTED
    if kind == "codec" and seen.traits is not None and seen.traits.parameter_sets == ():
        return NO_PARAMETER_SETS
    return None


def _login(target: Target, realm: str | None) -> str:
    if target.scheme == "srt":
        return "the passphrase in the URL must be the encoder's: 10 to 79 characters, both sides the same"
    if target.listen:
        return "the encoder must give the user and password that stand in the URL, by digest"
    where = f'it asks for a user and password of "{realm}"' if realm else "it asks for a user and password"
    if not url.has_login(target.url):
        return f"{where}, and the URL has none: {target.scheme}://user:password@host/path"
    return (
        f"{where}: compare them there, and that this user may watch video. In a URL / ? # [ ] @ : % of a password are "
        "percent-encoded (/ is %2F, % is %25), in a variable's value too. Cameras lock out who tries often"
    )


def _certificate(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return (
        f"save its certificate, openssl s_client -connect {host}:{target.port} </dev/null | openssl x509 > "
        "camera.pem, and name the file as tls.ca, here --tls-ca; where the port speaks no TLS, write "
        f"{target.scheme.removesuffix('s')}://"
    )


def _silence(target: Target, seen: Observation) -> str:
    if seen.traits is not None and not seen.traits.tracks:
        return "it answers RTSP, and not what it is asked for: the camera hangs. Restart it"
    if seen.traits is not None and target.transport == "udp":
        return "it answers questions, and no video comes: a firewall keeps datagrams out; leave out transport: udp"
    if seen.traits is not None:
        return "it answers questions, and no video comes: the camera's encoder hangs. Restart the camera"
    if seen.answers_tcp:
        return (
            f"port {target.port} takes connections and says nothing: another service listens there, or the camera hangs"
        )
    if seen.answers_tcp is False:
        return "nothing answers at all: the camera is off, the address is another, or a firewall swallows what is sent"
    return "see whether the camera is on, and whether a firewall is between"


def _heard(seen: Observation) -> str | None:
    """What there is instead of video."""
    audio: Sequence[str] = seen.kind.audio if seen.kind is not None and not seen.kind.codec else ()
    if audio:
        return f"it sends sound only ({', '.join(audio)})"
    offers = {printable(track.media) for track in _tracks(seen)}
    if offers and "video" not in offers:
        return f"it offers no video, only {' and '.join(sorted(offers))}"
    return None


def _tracks(seen: Observation) -> Sequence[Track]:
    return () if seen.traits is None else seen.traits.tracks
