"""A DNS server (RFC 1035) that knows the addresses of one thing and gives them for every name."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

HEADER_BYTES = 12
AUTHORITATIVE_ANSWER = 0x8400
A, IN = 1, 1
TTL_S = 0


class NameServer(asyncio.DatagramProtocol):
    """Answers A queries over UDP; `run_name_server` makes one."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        """What it answers; may change between two queries."""
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query; a question of another type (AAAA) has no answers."""
        end = HEADER_BYTES
        while data[end]:
            end += data[end] + 1
        question = data[HEADER_BYTES : end + 5]
        kind = int.from_bytes(data[end + 1 : end + 3])
        found = self.addresses if kind == A else []
        answer = data[:2] + struct.pack(">HHHHH", AUTHORITATIVE_ANSWER, 1, len(found), 0, 0) + question
        for address in found:
            # 0xC00C points at the name in the question.
            answer += struct.pack(">HHHIH", 0xC00C, A, IN, TTL_S, 4) + socket.inet_aton(address)
        assert self._transport is not None
        self._transport.sendto(answer, addr)

    @property
    def address(self) -> str:
        """Where it listens, host:port."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"


@asynccontextmanager
async def run_name_server() -> AsyncIterator[NameServer]:
    """A name server for as long as the block lasts."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
