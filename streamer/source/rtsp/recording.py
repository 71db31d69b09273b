"""From a name at a port of ours to a camera that pushes to it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext

from streamer.source.protocol import LISTEN_TIMEOUT
from streamer.source.rtsp.place import Place
from streamer.source.rtsp.playing import Playing
from streamer.source.rtsp.push import Host, Push
from streamer.source.rtsp.session import Session
from streamer.source.rtsp.traits import Learn, Traits, forget
from streamer.source.rtsp.wire import ANSWER_TIMEOUT, Wire
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic


@contextmanager
def record(
    target: Target, stop: Stop, place: Place | None = None, learn: Learn = forget, clock: Clock = monotonic
) -> Iterator[Playing]:
    """Wait for a camera to push, and have what it does while the block lasts. Blocks; `stop` ends that at once.

    Args:
        target: an rtsp URL that listens.
        stop: ends whatever is waited for, the packets too.
        place: where cameras push to the stream; None: for as long as this lasts.
        learn: takes what the camera has said of itself and shown, in the end.
        clock: monotonic seconds.

    Raises:
        SourceError: kind "waiting", none did within LISTEN_TIMEOUT; or why one that wanted to may not.
    """
    with closing(Place()) if place is None else nullcontext(place) as held:
        mount = held.mount(target, clock)
        push = mount.take(stop, LISTEN_TIMEOUT)
        try:
            with closing(Wire(push.connected, stop, clock, push.inbox)) as wire:
                wire.send(push.answer, ANSWER_TIMEOUT)
                playing = Playing(_session(wire, push, clock, sound=target.sound), target, clock)
                try:
                    yield playing
                finally:
                    learn(playing.traits)
        finally:
            push.close()
            mount.vacate(push)


def _session(wire: Wire, push: Push, clock: Clock, *, sound: bool) -> Session:
    agreed = push.agreed
    return Session(
        wire,
        Host(wire, push),
        clock,
        url=agreed.url,
        track=agreed.video,
        placement=agreed.placement,
        ports=agreed.ports[0] if agreed.placement.transport == "udp" else None,
        keepalive=None,
        traits=Traits(login=agreed.login, tracks=agreed.tracks),
        sound=agreed.sound if sound else None,
    )
