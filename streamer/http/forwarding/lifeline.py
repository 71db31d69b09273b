"""A socket to another replica that ends by itself where nothing is heard of the other machine any more.

Whoever only reads notices no cable that was pulled: TCP would wait for ever. So the system asks the other machine
whether it is there while nothing comes (RFC 9293 section 3.8.4). One that is slow, stopped, or has nothing to say
answers that without a byte of what is read here.
"""

import contextlib
import socket

from aiohttp import AddrInfoType

SILENCE = 30
"""Seconds without a word of the other machine, after which a connection has ended. Also of what it does not take."""
FIRST_ASKED = 10
"""Seconds without one after which it is asked first."""
ASKED_EVERY = 5
"""Seconds from one question to the next."""

OPTIONS = {
    "TCP_KEEPIDLE": FIRST_ASKED,
    "TCP_KEEPALIVE": FIRST_ASKED,  # the same, as macOS calls it
    "TCP_KEEPINTVL": ASKED_EVERY,
    "TCP_KEEPCNT": (SILENCE - FIRST_ASKED) // ASKED_EVERY,
    "TCP_USER_TIMEOUT": 1000 * SILENCE,  # ms
}
"""Of TCP, each where the system has it."""


def lifeline(address: AddrInfoType) -> socket.socket:
    """Make one, for an address as `getaddrinfo` gives it; it connects nowhere yet."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in OPTIONS.items():
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):
                made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
