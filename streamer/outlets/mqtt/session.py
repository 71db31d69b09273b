"""One connection to the broker from its beginning to its end: what is held is told, what is said to us is heard."""

import asyncio
from collections.abc import Callable

from streamer.outlets.mqtt.board import Board
from streamer.outlets.mqtt.client import GOODBYE, BrokerAway, Client, PublishRefused
from streamer.outlets.mqtt.pictures import Pictures
from streamer.outlets.mqtt.remarks import Remarks
from streamer.outlets.mqtt.topics import Topics
from streamer.values.task_group import together

ONLINE, OFFLINE = b"online", b"offline"

OnCommand = Callable[[str, bytes, bool], None]
"""Told of what was published to one of `Topics.commands`: topic, payload, and whether it was retained."""


class Session:
    """One."""

    def __init__(
        self,
        client: Client,
        topics: Topics,
        board: Board,
        pictures: Pictures | None,
        *,
        held: tuple[str, ...],
        on_command: OnCommand | None,
        refused: Remarks,
    ) -> None:
        """Say nothing yet.

        Args:
            client: connected.
            topics: ours.
            board: what the broker is to hold.
            pictures: the same of pictures; None: there are none.
            held: topics by which we learn what it holds from before.
            on_command: is told of commands; None: none are taken.
            refused: of what the broker does not take.
        """
        self._client, self._topics, self._board, self._pictures = client, topics, board, pictures
        self._held, self._on_command, self._refused = held, on_command, refused

    async def begin(self) -> None:
        """Say that we are here, and ask what is held from before.

        Raises:
            BrokerAway: the connection is lost.
        """
        commands = () if self._on_command is None else self._topics.commands
        for topic in (self._topics.status, *self._held, *commands):
            try:
                await self._client.subscribe_to(topic)
            except PublishRefused as error:
                self._refused.add(str(error))
        await self._tell(self._topics.status, ONLINE)
        self._board.retained.tell_all_again()
        if self._pictures is not None:
            self._pictures.tell_all_again()

    async def run(self) -> None:
        """Until the connection is lost.

        Raises:
            BrokerAway: it is.
        """
        parts = [self._hear(), self._tell_held()]
        if self._pictures is not None:
            parts.append(self._pictures.run(lambda: self._board.streams, self._tell))
        await together(*parts)

    async def end(self) -> None:
        """Say that we leave, where that can be said."""
        try:
            async with asyncio.timeout(GOODBYE):
                await self._client.tell(self._topics.status, OFFLINE, retain=True)
        except (TimeoutError, BrokerAway, PublishRefused):
            pass

    async def _hear(self) -> None:
        while True:
            message = await self._client.hear()
            topic = str(message.topic)
            payload = bytes(message.payload)
            if topic == self._topics.status:
                if payload != ONLINE and not message.retain:  # the will of a connection before this one, come late
                    await self._tell(topic, ONLINE)
            elif topic.endswith("/command"):
                if self._on_command is not None:
                    self._on_command(topic, payload, message.retain)
            elif message.retain:
                self._board.found(topic, payload)

    async def _tell_held(self) -> None:
        while True:
            await self._tell(*await self._board.retained.next())

    async def _tell(self, topic: str, payload: bytes) -> None:
        try:
            await self._client.tell(topic, payload, retain=True)
        except PublishRefused as error:
            self._refused.add(str(error))
