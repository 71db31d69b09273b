"""streamer.http.events: detections for whoever listens, and what is lost by those who listen too slowly."""

from streamer.http.events import BUFFERED_EVENTS, Events
from streamer.values.detections import Detections
from tests.peers.frames import make_detections


def of(stream: str) -> Detections:
    """One answer about a frame of that stream."""
    return make_detections(0.0, stream=stream)


async def test_what_a_slow_reader_loses_is_counted_and_stays_counted() -> None:
    """Each event beyond the buffer is a drop of that reader's stream, or of all; also when the reader has left."""
    events = Events()
    with events.subscribe("a"), events.subscribe("a"), events.subscribe(None):
        for _ in range(BUFFERED_EVENTS + 3):
            events.publish(of("a"))
        events.publish(of("b"))
        assert (events.dropped("a"), events.dropped("b"), events.dropped(None)) == (6, 0, 4)
    assert (events.dropped("a"), events.dropped(None)) == (6, 4)


async def test_a_stream_that_is_no_more_leaves_no_count() -> None:
    """Names that anybody may publish do not pile up; a reader that outlives its stream brings none of them back."""
    events = Events()
    with events.subscribe("a"):
        for _ in range(BUFFERED_EVENTS + 3):
            events.publish(of("a"))
        events.forget("a")
    assert events.dropped("a") == 0
    assert not events._dropped
