"""Where somebody is: a network address as one value, however it is written."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def host_of(address: str) -> IPv4Address | IPv6Address | None:
    """The host of an address literal, IPv4's in IPv6 as IPv4's and without a zone; None: it is no literal."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (read.ipv4_mapped or read) if isinstance(read, IPv6Address) else read


def is_loopback(host: str) -> bool:
    """Whether what listens at this address is reached from its own machine alone."""
    literal = host_of(host)
    return host == "localhost" if literal is None else literal.is_loopback


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the 64 bits that one household or one machine is given as a whole."""
    host = host_of(address)
    if isinstance(host, IPv6Address):
        return str(ip_network((host, 64), strict=False))
    return address if host is None else str(host)
