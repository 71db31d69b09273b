"""What the broker is to hold of all streams and rules, as they are now and as it was left. No input or output."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from streamer.outlets.mqtt.discovery import Discovery, without_gone
from streamer.outlets.mqtt.retained import Retained, compact
from streamer.outlets.mqtt.topics import HOLDS, Topics
from streamer.outlets.news import StreamNews
from streamer.values.clock import Clock

GONE_AFTER = 10.0
"""Seconds that a stream may be away before all that is held of it is taken away: one that is changed comes back."""
MOST_LABELS = 50
"""Classes that are counted by themselves; a broken model has millions of them."""
MOST_GOING_ON = 1000
"""Events of one rule that are remembered."""
MOST_GOING = 1000
"""Topics that are taken away at a time. Anybody may have put a million there; the next connection finds the others."""
LONGEST_TOPIC = 1000
"""Characters; ours are shorter."""
ON, OFF = b"ON", b"OFF"


class Board:
    """One broker's."""

    def __init__(self, topics: Topics, discovery: Discovery | None, clock: Clock) -> None:
        """Nothing is to be held yet.

        Args:
            topics: where it is held.
            discovery: of Home Assistant; None: it is not told.
            clock: monotonic seconds.
        """
        self.retained = Retained()
        self._topics, self._discovery, self._clock = topics, discovery, clock
        self._streams: dict[str, float] = {}
        """When each was there last."""
        self._going_on: dict[str, dict[str, None]] = {}
        """Ids of events that met each rule and are not over."""
        self._shapes: dict[str, tuple[object, ...]] = {}
        """What each stream's device was made of: it is a page of JSON, and looked at each second."""
        self._devices: dict[str, bytes] = {}
        """Of Home Assistant, by topic: as they are, without what they had before."""

    @property
    def streams(self) -> frozenset[str]:
        """Those of which something is held."""
        return frozenset(self._streams)

    def update(self, streams: Iterable[StreamNews], rules: Sequence[str]) -> None:
        """Take in how all of them are now."""
        now = self._clock()
        for news in streams:
            self._streams[news.name] = now
            self._put_stream(news)
        for name in [name for name, seen_at in self._streams.items() if now - seen_at > GONE_AFTER]:
            del self._streams[name]
            self._drop_stream(name)
        self._put_rules(rules)

    def met(self, rule: str, event: str) -> None:
        """An event met a rule."""
        going_on = self._going_on.setdefault(rule, {})  # one made a moment ago is not seen yet
        going_on[event] = None
        while len(going_on) > MOST_GOING_ON:
            del going_on[next(iter(going_on))]
        self._put_rule(rule)

    def over(self, rule: str, event: str) -> None:
        """Such an event is over."""
        if (going_on := self._going_on.get(rule)) is not None:
            going_on.pop(event, None)
            self._put_rule(rule)

    def found(self, topic: str, payload: bytes) -> None:
        """The broker holds something from before: of what there is no more, that is taken away."""
        if not payload or self.retained.going >= MOST_GOING or len(topic) > LONGEST_TOPIC:
            return
        if self._discovery is not None and self._discovery.is_ours(topic):
            self._found_device(topic, payload)
            return
        stream, rule = self._topics.target(topic)
        if stream is not None and stream not in self._streams:
            self._drop_stream(stream)
        elif rule is not None and rule not in self._going_on:
            self.retained.drop(topic)

    def _found_device(self, topic: str, payload: bytes) -> None:
        current = self.retained.get(topic)
        if not current:
            self.retained.drop(topic)
        elif payload != current:
            self.retained.put(topic, without_gone(current, payload))

    def _put_stream(self, news: StreamNews) -> None:
        topics = self._topics
        state = {"state": news.state.word, "reason": news.state.reason}
        self.retained.put(topics.stream(news.name, "state"), compact(state))
        counts = counted(news.things) | {"zones": {zone: counted(things) for zone, things in news.zones.items()}}
        self.retained.put(topics.stream(news.name, "counts"), compact(counts))
        shape = news.labels, tuple(news.zones)
        if self._discovery is not None and self._shapes.get(news.name) != shape:
            self._shapes[news.name] = shape
            self._put_device(self._discovery.topic_of(news.name), self._discovery.stream(news))

    def _drop_stream(self, name: str) -> None:
        for what in HOLDS:
            self.retained.drop(self._topics.stream(name, what))
        self._shapes.pop(name, None)
        if self._discovery is not None:
            self._drop_device(self._discovery.topic_of(name))

    def _put_rules(self, rules: Sequence[str]) -> None:
        for name in self._going_on.keys() - set(rules):
            del self._going_on[name]
            self.retained.drop(self._topics.rule(name, "state"))
        for name in rules:
            self._going_on.setdefault(name, {})
            self._put_rule(name)
        if self._discovery is not None:
            topic = self._discovery.rules_topic
            if rules:
                self._put_device(topic, self._discovery.rules(sorted(rules)))
            elif topic in self._devices:
                self._drop_device(topic)

    def _put_rule(self, name: str) -> None:
        self.retained.put(self._topics.rule(name, "state"), ON if self._going_on[name] else OFF)

    def _put_device(self, topic: str, document: bytes) -> None:
        if self._devices.get(topic) == document:
            return
        self._devices[topic] = document
        before = self.retained.get(topic)
        self.retained.put(topic, without_gone(document, before) if before else document)

    def _drop_device(self, topic: str) -> None:
        self._devices.pop(topic, None)
        self.retained.drop(topic)


def counted(things: Mapping[str, int]) -> dict[str, Any]:
    """How many there are, of all classes and of each."""
    labels = dict(sorted(things.items())[:MOST_LABELS])
    return {"total": sum(things.values()), "labels": labels}
