"""aiomqtt's client, where it leaves something to be wished. All private names of it are used here, and tests hold them.

- It connects in asyncio's own threads, which are joined when the process ends: here a thread of our own does it.
- A connection that came to nothing keeps its socket: here that is closed.
- It takes every PUBACK for a yes; a broker that does not let us publish says so in it (MQTT 5 section 3.4.2.1).
- Of what the broker says of its limits in CONNACK it keeps nothing (MQTT 5 section 3.2.2.3).
- Nobody looks at what it says of a connection's end, and asyncio complains of that.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from streamer.outlets.mqtt.broker import Broker
from streamer.values.errands import Errands
from streamer.values.errors import SightlineError

PATIENCE = 10.0
"""Seconds that the broker may take for an answer."""
GOODBYE = 2.0
"""Seconds that it may take to let us go."""
SLOWEST = 20_000
"""Bytes a second that it may take a message in: to send a picture through a thin uplink is no silence."""
KEEPALIVE = 30
"""Seconds without a word after which we ask whether it is there; it tells of our end after half as many more."""
MOST_WAITING = 500
"""Messages to us that may wait; of more, the newest are dropped."""
LARGEST = 128 * 1024
"""Bytes of a packet that the broker may send us, as CONNECT tells it."""
OVERHEAD = 16
"""Bytes of a PUBLISH packet beside topic and payload, at the most."""
UNSPECIFIED, TAKEN_OVER = 128, 142
"""Reason codes of a connection's end: no word, and the beginning of another client (MQTT 5 section 3.14.2.1)."""

CUT_OFF = "the broker ended the connection before it began; it may want TLS or none, or a certificate of ours"

QUIET = logging.getLogger("streamer.outlets.mqtt.library")
"""For the library's own words, in place of which we say ours."""
QUIET.propagate = False
QUIET.addHandler(logging.NullHandler())


T = TypeVar("T")


class BrokerAway(SightlineError):
    """There is no connection, or none any more; says why in one sentence."""


class PublishRefused(SightlineError):
    """The broker does not take a message; says why in one sentence."""


class Client(aiomqtt.Client):
    """One connection, once."""

    def __init__(
        self,
        broker: Broker,
        context: ssl.SSLContext | None,
        *,
        identifier: str,
        will: aiomqtt.Will,
        connecting: Errands,
    ) -> None:
        """Connect nowhere yet.

        Args:
            broker: where it is.
            context: of TLS; None: in the clear.
            identifier: ours. A client of the same that is still connected is sent away by the broker.
            will: what the broker says when we are gone without a word.
            connecting: threads that connect.
        """
        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        limits.MaximumPacketSize = LARGEST
        super().__init__(
            broker.host,
            broker.port,
            username=broker.user,
            password=broker.password,
            identifier=identifier,
            will=will,
            protocol=aiomqtt.ProtocolVersion.V5,
            properties=limits,
            timeout=PATIENCE,
            keepalive=KEEPALIVE,
            max_queued_incoming_messages=MOST_WAITING,
            tls_context=context,
            logger=QUIET,
        )
        self.largest: int | None = None
        """Bytes of a packet that the broker takes; None: any."""
        self._connecting = connecting
        self._refusal: ReasonCode | None = None
        """Of the message that is published now."""
        self._turn = asyncio.Lock()
        self._is_over = False

    async def __aenter__(self) -> "Client":
        """Connect.

        Raises:
            BrokerAway: why not.
        """
        try:
            await self._connecting.run(self._connect)
            await super().__aenter__()
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            self._close()
            raise BrokerAway(sentence(error)) from None
        except BaseException:
            self._close()
            raise
        self._disconnected.add_done_callback(lambda end: end.cancelled() or end.exception())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Say good-bye where somebody listens."""
        try:
            async with asyncio.timeout(GOODBYE):
                await super().__aexit__(None, None, None)
        except (TimeoutError, aiomqtt.MqttError):
            pass
        finally:
            self._close()

    def is_too_large(self, topic: str, payload: bytes) -> bool:
        """Whether the broker would end the connection for a message."""
        return self.largest is not None and len(topic) + len(payload) + OVERHEAD > self.largest

    async def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1, and wait until the broker has it: one message after the other, whoever calls.

        Raises:
            BrokerAway: the connection is lost, or no answer came in time.
            PublishRefused: it does not want it.
        """
        if self.is_too_large(topic, payload):
            raise PublishRefused(f"{topic}: {len(payload)} bytes are more than the broker takes")
        async with self._turn:
            self._refusal = None
            patience = self.timeout + len(payload) / SLOWEST
            await self._while_connected(super().publish(topic, payload, qos=1, retain=retain, timeout=patience))
            if self._refusal is not None:
                raise PublishRefused(f"{topic}: the broker does not take it: {str(self._refusal).lower()}")

    async def hear(self) -> aiomqtt.Message:
        """Wait for the next message to us.

        Raises:
            BrokerAway: the connection is lost.
        """
        try:
            return await anext(aiter(self.messages))
        except aiomqtt.MqttError as error:
            raise BrokerAway(sentence(error.__cause__ or error)) from None

    async def subscribe_to(self, topic: str) -> None:
        """Have messages of a topic sent to us.

        Raises:
            BrokerAway: the connection is lost.
            PublishRefused: it does not let us.
        """
        codes = await self._while_connected(super().subscribe(topic, qos=1))
        for code in codes:
            if isinstance(code, ReasonCode) and code.is_failure:
                raise PublishRefused(f"the broker does not let us hear {topic}: {str(code).lower()}")

    async def _while_connected(self, exchange: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer, and no longer than there is somebody to give it."""
        task = asyncio.create_task(exchange)
        try:
            either: list[asyncio.Future[Any]] = [task, self._disconnected]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        except aiomqtt.MqttError as error:
            raise BrokerAway(sentence(error)) from None
        finally:
            task.cancel()
        raise BrokerAway(sentence(self._disconnected.exception() or ConnectionError()))

    # ---- what aiomqtt and paho call

    def _connect(self) -> None:
        """In the thread: name server, TCP and TLS."""
        super()._client_connect()
        if self._is_over:  # whoever wanted it has left
            with contextlib.suppress(RuntimeError):  # and so has the event loop
                self._loop.call_soon_threadsafe(self._close)

    def _client_connect(self) -> None:
        """It is done by then."""

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        self.largest = getattr(properties, "MaximumPacketSize", None)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError(CUT_OFF))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:
        if reason_code.is_failure and mid in self._pending_publishes:
            self._refusal = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _close(self) -> None:
        """Let go of the socket, whatever state it is in."""
        self._is_over = True
        with contextlib.suppress(OSError, ValueError):
            self._client._sock_close()  # noqa: SLF001
        if self._misc_task is not None:
            self._misc_task.cancel()
        if not self._disconnected.done():
            self._disconnected.set_result(None)


def sentence(error: BaseException) -> str:
    """What went wrong, without the libraries' numbers."""
    code = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
    if isinstance(code, ReasonCode) and code.value != UNSPECIFIED:
        if code.value == TAKEN_OVER:
            return "another client came with our name; give each Sightline of a broker a prefix of its own"
        refused = isinstance(error, aiomqtt.exceptions.MqttConnectError)
        return f"the broker {'let us not in' if refused else 'ended the connection'}: {str(code).lower()}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not believed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'it was cut off').replace('_', ' ').lower()}"
    if str(error) == CUT_OFF:
        return CUT_OFF
    if isinstance(error, TimeoutError) or str(error) == "Operation timed out":
        return "the broker does not answer"
    if isinstance(error, OSError):
        return error.strerror or str(error) or "the connection failed"
    return "the connection was lost"
