"""Where somebody is: a network address as one value, however it is written."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def host_of(address: str) -> IPv4Address | IPv6Address | None:
    """The host of an address literal, IPv4's in IPv6 as IPv4's and without a zone; None: it is no literal."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (read.ipv4_mapped or read) if isinstance(read, IPv6Address) else read
