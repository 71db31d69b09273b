"""Which datagrams of the media port reach DTLS and SRTP: those of a sane size, from where ICE has checked the peer.

aioice 0.13 hands every datagram that is not STUN to aiortc, whoever sent it; aiortc 1.16 ends the session on an empty
one and on one longer than SRTP's buffer. One packet of a stranger would do, as in the DTLS races of CVE-2023-49786 and
CVE-2023-51443. This is the one place that reaches into aioice, and tests/webrtc/test_datagram_filter.py holds that
it takes effect.
"""

import aioice.ice
from aioice import stun
from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import RTCPeerConnection

MAX_DATAGRAM = 1500
"""Bytes: pylibsrtp's buffer, and more than any path carries unfragmented."""
MAX_CHECKED = 64
"""Addresses one peer may have been checked at: its own candidates, and those its network makes of them."""
MAX_WAITING = 1024
"""Datagrams that may wait for the event loop, per connection."""
FIRST_DTLS = 20
"""First byte from which a datagram is DTLS or SRTP; STUN is 0 to 3, and nothing here is between (RFC 7983)."""

Address = tuple[str, int]


class DatagramFilter(StunProtocol):
    """One socket of an ICE connection, with a doorkeeper."""

    def __init__(self, receiver: Connection) -> None:
        super().__init__(receiver)
        self.heard = 0
        """Datagrams of the peer itself: signs of life."""
        self.dropped = 0
        """Datagrams of strangers, and those no peer would send."""
        self._checked: set[Address] = set()

    def datagram_received(self, data: bytes | str, addr: tuple[object, ...]) -> None:
        """Let a datagram pass, or drop it."""
        address = (str(addr[0]), int(str(addr[1])))
        if not isinstance(data, bytes) or not 0 < len(data) <= MAX_DATAGRAM:
            self.dropped += 1
        elif data[0] < FIRST_DTLS:
            self._stun(data, address)
        elif self._is_checked(address) and self.receiver._queue.qsize() < MAX_WAITING:  # noqa: SLF001
            self.heard += 1
            self.receiver.data_received(data, self.local_candidate.component)
        else:
            self.dropped += 1

    def _stun(self, data: bytes, address: Address) -> None:
        """STUN authenticates itself; whoever passed is checked from now on (RFC 8445 section 7.3)."""
        try:
            message = stun.parse_message(data)
            is_request = message.message_class == stun.Class.REQUEST
            is_check = is_request and message.check_message_integrity(self.receiver.local_password.encode())
            if is_check and not self._check(address):
                self.dropped += 1
                return
            is_peer = is_check or message.transaction_id in self.transactions
            super().datagram_received(data, address)
        except Exception:  # noqa: BLE001  aioice trips over a stranger's bytes in more ways than it names
            self.dropped += 1
            return
        self.heard += is_peer
        self.dropped += not is_peer

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
