"""Which datagrams of the media port reach DTLS and SRTP: so many, of a sane size, from where ICE has checked the peer.

aioice 0.13 hands every datagram that is not STUN to aiortc, whoever sent it; aiortc 1.16 ends the session on an empty
one and on one longer than SRTP's buffer. One packet of a stranger would do, as in the DTLS races of CVE-2023-49786 and
CVE-2023-51443. And aioice reads and answers STUN of anybody. This is the one place that reaches into aioice, and
tests/webrtc/test_datagram_filter.py holds that it takes effect.
"""

import asyncio

import aioice.ice
from aioice import stun
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import RTCPeerConnection

from streamer.values.clock import Clock, monotonic
from streamer.webrtc.budget import Budget

MAX_DATAGRAM = 1500
"""Bytes: pylibsrtp's buffer, and more than any path carries unfragmented."""
MAX_CHECKED = 64
"""Addresses one peer may have been checked at: its own candidates, and those its network makes of them."""
MAX_WAITING = 1024
"""Datagrams that may wait for the event loop, per connection."""
MAX_CHECKS = 100
"""STUN messages a second that are read, and at once: a browser's checks come 50 a second at the most (RFC 8445 section
14.2)."""
MAX_RESENT = 2
"""Times that a check of ours is sent again; aioice's six are for who does not speak first. Who does checks again."""
FIRST_DTLS = 20
"""First byte from which a datagram is DTLS or SRTP; STUN is 0 to 3, and nothing here is between (RFC 7983)."""
STUN_HEADER = 20
"""Bytes."""
STUN_ANSWER = 0x01
"""The bit of the first byte that tells answers from requests and indications (RFC 8489 section 5)."""

Address = tuple[str, int]


class DatagramFilter(StunProtocol):
    """One socket of an ICE connection, with a doorkeeper."""

    def __init__(self, receiver: Connection) -> None:
        super().__init__(receiver)
        self.clock: Clock = monotonic
        """Of the budgets; aioice, which makes its sockets, has none to give."""
        self.budget = Budget(MAX_WAITING, MAX_WAITING)
        """Datagrams that the peer may send, once it has been checked."""
        self.heard = 0
        """Datagrams of the peer itself: signs of life."""
        self.dropped = 0
        """Datagrams of strangers, those no peer would send, and those beyond a budget."""
        self._checked: set[Address] = set()
        self._checks = Budget(MAX_CHECKS, MAX_CHECKS)
        self._ufrag = f"{receiver.local_username}:".encode()
        """What stands in each check of who has our answer, and in nobody else's."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have asyncio make room for what is let through, and not for 256 KiB each time."""
        super().connection_made(transport)
        setattr(transport, "max_size", MAX_DATAGRAM + 1)  # noqa: B010

    async def request(
        self,
        request: stun.Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, Address]:
        """Send a check, which follows one of the peer's, to where that seemed to come from: not over and over."""
        again = MAX_RESENT if retransmissions is None else retransmissions
        return await super().request(request, addr, integrity_key, again)

    def datagram_received(self, data: bytes | str, addr: tuple[object, ...]) -> None:
        """Let a datagram pass, or drop it."""
        address = (str(addr[0]), int(str(addr[1])))
        if not isinstance(data, bytes) or not 0 < len(data) <= MAX_DATAGRAM:
            self.dropped += 1
        elif data[0] < FIRST_DTLS:
            self._stun(data, address)
        elif self._is_checked(address) and self._has_room():
            self.heard += 1
            self.receiver.data_received(data, self.local_candidate.component)
        else:
            self.dropped += 1

    def _stun(self, data: bytes, address: Address) -> None:
        """STUN authenticates itself; whoever passed is checked from now on (RFC 8445 section 7.3)."""
        if self._is_meant(data) and self._checks.spend(1, self.clock()) and self._is_passed(data, address):
            self.heard += 1
        else:
            self.dropped += 1

    def _is_meant(self, data: bytes) -> bool:
        """Whether a message can be for us, at a glance: it answers one of ours, or names our half of the user name.

        Whoever guesses at that is not told so (RFC 8489 section 9.1.3 has errors for him): what is answered can be
        made to be answered to somebody else.
        """
        if len(data) < STUN_HEADER:
            return False
        return data[8:STUN_HEADER] in self.transactions if data[0] & STUN_ANSWER else self._ufrag in data

    def _is_passed(self, data: bytes, address: Address) -> bool:
        """Hand a message to aioice, if the peer sent it; returns whether it did."""
        try:
            message = stun.parse_message(data)
            if message.message_class == stun.Class.REQUEST:
                is_check = message.check_message_integrity(self.receiver.local_password.encode())
                if not is_check or not self._check(address):
                    return False
            elif message.transaction_id not in self.transactions:
                return False
            super().datagram_received(data, address)
        except Exception:  # noqa: BLE001  aioice trips over a stranger's bytes in more ways than it names
            return False
        return True

    def _has_room(self) -> bool:
        """Whether one more of the peer's datagrams can be taken."""
        return self.receiver._queue.qsize() < MAX_WAITING and self.budget.spend(1, self.clock())  # noqa: SLF001

    def _check(self, address: Address) -> bool:
        """Let the peer be at an address; False: it was at too many, and aioice would remember each of them."""
        if len(self._checked) < MAX_CHECKED:
            self._checked.add(address)
        return address in self._checked

    def _is_checked(self, address: Address) -> bool:
        """Whether the peer has proved to be there: by its own check, or by its answer to ours (an ICE-lite peer)."""
        return address in self._checked or any(
            pair.state is CandidatePair.State.SUCCEEDED and pair.protocol is self and pair.remote_addr == address
            for pair in self.receiver._check_list  # noqa: SLF001
        )


# aioice makes its sockets itself, with this name looked up when it does.
aioice.ice.StunProtocol = DatagramFilter  # type: ignore[misc]


def datagram_filters(pc: RTCPeerConnection) -> list[DatagramFilter]:
    """The sockets of a peer connection; none before it has gathered."""
    transports = {transceiver.receiver.transport.transport for transceiver in pc.getTransceivers()}
    return [
        protocol
        for transport in transports
        for protocol in transport._connection._protocols  # noqa: SLF001
        if isinstance(protocol, DatagramFilter)
    ]
