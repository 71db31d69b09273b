"""What streams that other replicas of a cluster run are doing, as these say each second: for who tells the outlets."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from streamer.outlets.news import StreamNews
from streamer.values.clock import Clock
from streamer.values.state import STREAM_STATES, StreamState

STALE = 10.0
"""Seconds after which what was said of a stream holds no longer."""
SETTLING = 10.0
"""Seconds in which all replicas have said something: until then of some streams nobody can say anything."""
PAUSED = 5.0
"""Seconds without a question, after which we begin anew to listen: somebody else told outlets meanwhile."""
NOBODY = StreamState("offline", "no replica runs it at this moment")


class NewsElsewhere:
    """One replica's."""

    def __init__(self, names: Callable[[], Iterable[str]], clock: Clock) -> None:
        """Have heard nothing.

        Args:
            names: of all streams that the replicas share.
            clock: monotonic seconds.
        """
        self._names, self._clock = names, clock
        self._heard: dict[str, tuple[float, StreamNews]] = {}
        self._since = self._asked_at = float("-inf")

    def heard(self, document: Mapping[str, Any]) -> None:
        """Another replica says something of a stream of its own; what is no news is none."""
        news = news_from(document)
        if news is not None:
            self._heard[news.name] = self._clock(), news

    def streams(self, here: Sequence[StreamNews]) -> Sequence[StreamNews] | None:
        """All there are, those that run `here` among them; None: nobody can say that yet."""
        now = self._clock()
        if now - self._asked_at > PAUSED:
            self._since = now
        self._asked_at = now
        ours, shared = {each.name for each in here}, set(self._names())
        self._heard = {
            name: (at, news) for name, (at, news) in self._heard.items() if name in shared or now - at < STALE
        }
        fresh = {name: news for name, (at, news) in self._heard.items() if now - at < STALE and name not in ours}
        silent = shared - ours - fresh.keys()
        if silent and now - self._since < SETTLING:
            return None
        return [*here, *fresh.values(), *(self._last(name) for name in sorted(silent))]

    def _last(self, name: str) -> StreamNews:
        """Of a stream that nobody runs: nothing is in its view."""
        known = self._heard.get(name)
        return StreamNews(name, NOBODY) if known is None else StreamNews(name, NOBODY, labels=known[1].labels)


def document_of(news: StreamNews) -> dict[str, Any]:
    """As a replica says it to the others."""
    return {
        "stream": news.name,
        "state": news.state.word,
        "reason": news.state.reason,
        "things": dict(news.things),
        "zones": {zone: dict(counts) for zone, counts in news.zones.items()},
        "labels": list(news.labels),
    }


def news_from(document: Mapping[str, Any]) -> StreamNews | None:
    """The reverse; None: it is none, or of a version that says it otherwise."""
    name, word, reason = (document.get(key) for key in ("stream", "state", "reason"))
    zones, labels = document.get("zones"), document.get("labels")
    things = _counts(document.get("things"))
    if not isinstance(name, str) or word not in STREAM_STATES or not isinstance(reason, str | None) or things is None:
        return None
    if not isinstance(zones, dict) or not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
        return None
    counts = {zone: found for zone, counts in zones.items() if (found := _counts(counts)) is not None}
    return StreamNews(name, StreamState(word, reason), things, counts, tuple(labels))


def _counts(said: Any) -> dict[str, int] | None:
    if not isinstance(said, dict) or not all(type(count) is int for count in said.values()):
        return None
    return said
