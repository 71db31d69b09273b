"""What the broker is to hold, by topic. The newest alone: what comes while another is told takes its place. Pure."""

import asyncio
import json
from typing import Any


class Retained:
    """Of one broker. There are as many as there are topics, and no more."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._wanted: dict[str, bytes] = {}
        """What it is to hold; empty: nothing there any more, until that is told."""
        self._untold: dict[str, None] = {}
        """Topics of which it does not know, the one that waits longest first."""
        self._going: set[str] = set()
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def going(self) -> int:
        """Topics under which nothing is to be held any more, and the broker has not been told."""
        return len(self._going)

    def topics(self) -> frozenset[str]:
        """Those under which something is to be held."""
        return frozenset(topic for topic, payload in self._wanted.items() if payload)

    def get(self, topic: str) -> bytes | None:
        """What is to be held there."""
        return self._wanted.get(topic)

    def put(self, topic: str, payload: bytes) -> None:
        """Hold this there; the same again is no news."""
        if self._wanted.get(topic) != payload:
            self._wanted[topic] = payload
            (self._going.discard if payload else self._going.add)(topic)
            self.tell_again(topic)

    def drop(self, topic: str) -> None:
        """Hold nothing there: an empty message takes away what the broker has (MQTT 5 section 3.3.1.3)."""
        self.put(topic, b"")

    def tell_again(self, topic: str) -> None:
        """It may not be what the broker holds."""
        self._untold[topic] = None
        self._news.set()

    def tell_all_again(self) -> None:
        """The broker may be another, or have lost what it had."""
        for topic in self._wanted:
            self.tell_again(topic)

    async def next(self) -> tuple[str, bytes]:
        """Wait for something that the broker does not know; it is taken to be told by that."""
        while not self._untold:
            self._news.clear()
            await self._news.wait()
        topic = next(iter(self._untold))
        del self._untold[topic]
        payload = self._wanted[topic]
        if not payload:
            del self._wanted[topic]
            self._going.discard(topic)
        return topic, payload


def compact(said: Any) -> bytes:
    """JSON without a space too many."""
    return json.dumps(said, separators=(",", ":")).encode()
