"""From a URL to a session that plays: OPTIONS, DESCRIBE, SETUP, PLAY (RFC 2326 section 14)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from streamer.source.failure import printable
from streamer.source.rtsp import description as descriptions
from streamer.source.rtsp.beside import Beside
from streamer.source.rtsp.client import Client
from streamer.source.rtsp.control_url import base_of, control_url, is_absolute
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.keepalive import Habits, Keepalive
from streamer.source.rtsp.message import Response
from streamer.source.rtsp.placement import Placement, answered, asked, beside
from streamer.source.rtsp.port_pair import PortPair
from streamer.source.rtsp.redirect import REDIRECTS, Moved, redirected
from streamer.source.rtsp.refusal import refusal
from streamer.source.rtsp.report import smallest
from streamer.source.rtsp.session import Session
from streamer.source.rtsp.traits import Learn, Traits, forget
from streamer.source.rtsp.wire import Wire, connect
from streamer.source.stop import Stop
from streamer.source.target import Target, Transport
from streamer.values import url as urls
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import SourceError

_UNSUPPORTED_TRANSPORT, _NO_AGGREGATE = 461, 459
_NO_RANGE = frozenset({400, 402, 406, 412, 451, 456, 457})
"""What cameras that know no Range answer to it."""


@contextmanager
def open_session(
    target: Target, stop: Stop, clock: Clock = monotonic, habits: Habits | None = None, learn: Learn = forget
) -> Iterator[Session]:
    """The first video of a camera, playing for as long as the block lasts. Blocks; `stop` ends that at once.

    Args:
        target: an rtsp or rtsps URL that is pulled.
        stop: ends whatever is waited for, the packets too.
        clock: monotonic seconds.
        habits: what attempts before have shown of this camera; None: nothing.
        learn: takes what the camera says of itself, as it does.

    Raises:
        SourceError: why it does not play.
    """
    target.require_allowed()
    for _ in range(REDIRECTS + 1):
        with ExitStack() as opened:
            wire = connect(target, stop, clock)
            opened.callback(wire.close)
            try:
                session = _play(wire, target, clock, habits or Habits(), opened, learn)
            except Moved as moved:
                target = redirected(target, moved.location)
                continue
            opened.callback(session.close)
            yield session
            return
    raise SourceError("redirected", f"the camera redirects more than {REDIRECTS} times")


def _play(wire: Wire, target: Target, clock: Clock, habits: Habits, opened: ExitStack, learn: Learn) -> Session:
    client, url = Client(wire, target, clock), urls.without_login(target.url)
    options = client.ask("OPTIONS", url)  # whatever it answers: some know it not
    traits = Traits(_server(options))
    learn(traits)
    if options.status == 401 and client.login is not None:
        raise refusal("OPTIONS", options, client.realm)
    described = _require(client, client.ask("DESCRIBE", url, Accept="application/sdp"), "DESCRIBE")
    description = descriptions.read(described.body)
    traits = Traits(_server(described) or traits.server, client.login, client.realm, description.tracks)
    learn(traits)
    base = base_of(described.fields, url)
    whole = control_url(base, description.control)
    track = description.video()
    within = whole if is_absolute(description.control) else base
    part = control_url(within, track.control)
    keepalive = Keepalive("GET_PARAMETER" in _listed(options), habits)
    placement, ports, named = _set_up(wire, client, target, part, opened)
    client.named(named)
    if ports is not None:
        ports.open_way(placement.server_ports, smallest(0))
    sound = _beside(wire, client, within, description.sound(), placement, opened) if target.sound else None
    _start(client, whole, part)
    keepalive.begin(named, clock())
    return Session(
        wire,
        client,
        clock,
        url=whole,
        track=track,
        placement=placement,
        ports=ports,
        keepalive=keepalive,
        traits=traits,
        sound=sound,
    )


def _server(response: Response) -> str | None:
    """What the camera calls itself; None: it does not say."""
    said = response.fields.get("server")
    return urls.redact(printable(said)) if said else None


def _listed(options: Response) -> set[str]:
    """The methods a camera lists."""
    said = ",".join(options.fields.all("public"))
    return {method.strip().upper() for method in said.split(",")}


def _set_up(
    wire: Wire, client: Client, target: Target, url: str, opened: ExitStack
) -> tuple[Placement, PortPair | None, str]:
    """Agree on how the packets come; gives also what the camera says of its session."""
    udp = target.transport == "udp" and target.scheme == "rtsp"
    ways: tuple[Transport, ...] = ("udp", "tcp") if udp else ("tcp",)
    response = None
    for transport in ways:
        ports = PortPair(wire.here, wire.there) if transport == "udp" else None
        if ports is not None:
            opened.callback(ports.close)
        response = client.ask("SETUP", url, Transport=asked(None if ports is None else ports.numbers))
        if response.status == _UNSUPPORTED_TRANSPORT:
            continue
        _require(client, response, "SETUP")
        placement = answered(response.fields.get("transport"), transport)
        named = response.fields.get("session") or ""
        return placement, ports if placement.transport == "udp" else None, named
    raise SourceError(
        "unsupported",
        "the camera sends its video neither by UDP nor over TCP"
        if udp
        else "the camera does not send its video over TCP; `transport: udp` has it send datagrams",
    )


def _beside(
    wire: Wire, client: Client, within: str, track: Track | None, video: Placement, opened: ExitStack
) -> Beside | None:
    """Have the sound come the way the video does; None: there is none, or the camera does not give it."""
    if track is None:
        return None
    ports = PortPair(wire.here, wire.there) if video.transport == "udp" else None
    if ports is not None:
        opened.callback(ports.close)
    channels = beside(video)
    transport = asked(None if ports is None else ports.numbers, channels)
    response = client.ask("SETUP", control_url(within, track.control), Transport=transport)
    if not 200 <= response.status < 300:
        return None
    try:
        placement = answered(response.fields.get("transport"), video.transport, channels)
    except SourceError:
        return None
    if placement.transport == "tcp" and video.transport == "tcp" and set(placement.channels) & set(video.channels):
        return None
    if placement.transport != "udp":
        return Beside(track, placement, None)
    if ports is not None:
        ports.open_way(placement.server_ports, smallest(0))
    return None if ports is None else Beside(track, placement, ports)


def _start(client: Client, whole: str, part: str) -> None:
    """PLAY, as this camera wants to be asked."""
    response = client.ask("PLAY", whole, Range="npt=0.000-")
    if response.status in _NO_RANGE:
        response = client.ask("PLAY", whole)
    if response.status == _NO_AGGREGATE:
        response = client.ask("PLAY", part)
    _require(client, response, "PLAY")


def _require(client: Client, response: Response, method: str) -> Response:
    if not 200 <= response.status < 300:
        raise refusal(method, response, client.realm)
    return response
