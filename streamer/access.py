"""Who may watch and publish, and from which pages, as the configuration has it."""

from ipaddress import ip_address

from streamer.config import Config
from streamer.control.publishing_rights import PublishingRights
from streamer.control.seats import SeatLimits
from streamer.http.allowed_origins import AllowedOrigins
from streamer.http.signalling import IceServer, Signalling


def viewer_limits(config: Config) -> SeatLimits:
    """How many may watch."""
    server = config.server
    return SeatLimits(server.max_viewers, server.max_viewers_per_stream, server.max_viewers_per_address)


def publishing_rights(config: Config) -> PublishingRights:
    """Who may publish: under the names that are configured, else under any where only this machine can ask."""
    names = config.ingress.names
    if names is None:
        names = ["*"] if _is_loopback(config.server.host) else []
    return PublishingRights(tuple(names), config.ingress.token, config.ingress.max_publishers)


def signalling(config: Config) -> Signalling:
    """What pages of other origins may do, and the ICE servers that browsers are told of."""
    server = config.server
    return Signalling(
        AllowedOrigins(server.origins, on_loopback=_is_loopback(server.host)),
        tuple(IceServer(each.url, each.username, each.credential) for each in server.ice_servers),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
