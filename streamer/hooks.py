"""The private names of aiortc 1.16 that are used here, all of them; tests/test_hooks.py holds that each takes effect.

aioice's are in guard.py. `pyproject.toml` keeps aiortc at one minor version for the sake of these.
"""

from collections.abc import Callable
from typing import cast

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.rtp import RtpPacket

Take = Callable[[RtpPacket, bytes], None]
"""Takes a packet, and what it carries without the payload's descriptor."""


class _Intake:
    """Stands where a receiver has its jitter buffer: takes every packet, and has no picture for aiortc to decode."""

    def __init__(self, take: Take) -> None:
        self._take = take

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """What RTCRtpReceiver calls once a packet; returns (whether to send a PLI, a whole picture)."""
        self._take(packet, cast(bytes, packet._data))  # type: ignore[attr-defined]  # noqa: SLF001
        return False, None


def take_packets(receiver: RTCRtpReceiver, take: Take) -> None:
    """Have a receiver's packets instead of its pictures, retransmissions unwrapped; set before it is connected."""
    setattr(receiver, "_RTCRtpReceiver__jitter_buffer", _Intake(take))  # noqa: B010


def on_keyframe_request(sender: RTCRtpSender, asked: Callable[[], None]) -> None:
    """Be told of PLI and FIR (RFC 4585 section 6.3.1, RFC 5104), which do not reach a track of ready packets."""
    setattr(sender, "_send_keyframe", asked)  # noqa: B010


async def ask_for_keyframe(receiver: RTCRtpReceiver, ssrc: int) -> None:
    """Send a PLI to the sender of `ssrc`."""
    await receiver._send_rtcp_pli(ssrc)  # noqa: SLF001


async def ask_again(receiver: RTCRtpReceiver, ssrc: int, missing: list[int]) -> None:
    """Send a NACK for sequence numbers of `ssrc` (RFC 4585 section 6.2.1)."""
    # Sorted as plain numbers: across their end aiortc would shift by less than nothing.
    await receiver._send_rtcp_nack(ssrc, sorted(missing))  # noqa: SLF001
