"""What a stream may do, by where it comes from: the operator's own reach what they like, the API's what he allows."""

import asyncio
from dataclasses import replace
from functools import partial
from ipaddress import ip_network

from streamer.config import ApiStreamsSettings, StreamSettings
from streamer.control.roster import Entry
from streamer.source import CertificateTrust, Limits, Target
from streamer.source.allowed_destinations import AllowedDestinations
from streamer.values.errands import Errands
from streamer.values.errors import SourceError

PATIENCE = 3.0
"""Seconds the name server gets to say where a new stream's host is; whoever opens the stream asks again anyway."""
MAX_HELD = 8
"""Pictures of the largest size allowed that a stream of the API's may have held at once: a 4K camera needs six at the
most (H.265 level 5; H.264 level 5.1)."""
_ASKING = Errands(4, "judge")
"""Threads that may wait for it: of those that everything shares, a silent one would soon hold all, and the exit."""


def target_of(stream: StreamSettings, policy: ApiStreamsSettings | None = None) -> Target:
    """A stream's settings as its source takes them.

    Args:
        stream: as it stands in the configuration, or as the API was given it.
        policy: for the latter, what such streams may do; None for what the operator wrote himself.
    """
    trust = CertificateTrust(stream.tls.ca, stream.tls.name, stream.tls.verify)
    sound = stream.record.sound and stream.record.mode != "off"
    target = Target(stream.url, stream.listen, stream.transport, trust, sound=sound)
    if policy is None:
        return target
    destinations = AllowedDestinations(
        frozenset(policy.schemes), tuple(ip_network(network) for network in policy.networks)
    )
    limits = Limits(policy.max_pixels, policy.max_fps, policy.max_packet_bytes, MAX_HELD)
    return replace(target, limits=limits, destinations=destinations)


def sub_target_of_entry(entry: Entry, policy: ApiStreamsSettings) -> Target | None:
    """The same of its sub-stream; None: it has none."""
    sub = entry.settings.of_sub
    return None if sub is None else target_of_entry(replace(entry, settings=sub), policy)


def target_of_entry(entry: Entry, policy: ApiStreamsSettings) -> Target:
    """What a stream's source reads: of one that the API added, within `policy`."""
    return target_of(entry.settings, policy if entry.origin == "api" else None)


async def judge(stream: StreamSettings, policy: ApiStreamsSettings) -> None:
    """Check a stream that came through the API, as far as can be said before it is opened.

    Raises:
        SourceError: kind "forbidden". A name that nobody knows yet is no reason: its camera may be switched off.
    """
    target = target_of(stream, policy)
    target.require_allowed()
    try:
        async with asyncio.timeout(PATIENCE):
            await _ASKING.run(partial(target.destinations.addresses, target.host, target.port))
    except TimeoutError:
        return
    except SourceError as error:
        if error.kind == "forbidden":
            raise
