"""Where a stream's URL may lead: which schemes, and which addresses its host may stand for.

A name is resolved here, once an attempt, and the connection goes to the very address that was judged: a name that
resolves to something else a moment later (DNS rebinding) gains nothing. Judging addresses, not spellings, also settles
127.1, 0x7f000001, 2130706433 and 0177.0.0.1, which the resolver reads as inet_aton(3) does.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from streamer.values.errors import SourceError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], list[str]]
"""Takes host and port, gives numeric addresses, raises SourceError("dns")."""

SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "unspecified"),  # Linux connects 0.0.0.0 to this machine itself
        ("127.0.0.0/8", "loopback"),
        ("100.100.100.200/32", "cloud metadata"),  # Alibaba
        ("168.63.129.16/32", "cloud metadata"),  # Azure
        # Blocks of their own: cameras without DHCP are link-local too, and whoever allows those does not mean these.
        ("169.254.0.23/32", "cloud metadata"),  # Tencent
        ("169.254.42.42/32", "cloud metadata"),  # Scaleway
        ("169.254.169.254/32", "cloud metadata"),  # most clouds
        ("169.254.170.0/24", "cloud metadata"),  # AWS: credentials of containers, 169.254.170.2 and .23
        ("169.254.0.0/16", "link-local"),
        ("192.0.0.0/24", "reserved"),  # Oracle's metadata is 192.0.0.192
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),  # with 255.255.255.255
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b:1::/48", "translated"),  # RFC 8215: to IPv4, by a rule that only the local network knows
        ("2001::/32", "tunnelled"),  # Teredo, RFC 4380: to any IPv4 host, by a relay's word
        ("2002::/16", "tunnelled"),  # 6to4, RFC 3056: the same
        ("fd00:42::42/128", "cloud metadata"),  # Scaleway
        ("fd00:c1::a9fe:a9fe/128", "cloud metadata"),  # Oracle
        ("fd00:ec2::/32", "cloud metadata"),  # AWS: fd00:ec2::254, and credentials of containers at ::23
        ("fd20:ce::254/128", "cloud metadata"),  # Google
        ("fe80::/10", "link-local"),
        ("fec0::/10", "link-local"),  # site-local, deprecated by RFC 3879
        ("ff00::/8", "multicast"),
    )
)
"""Addresses no stranger's URL reaches, unless a configured network lies inside one of these: "0.0.0.0/0" allows none of
them, "127.0.0.0/8" allows loopback."""

UNANSWERED = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM})
"""What the resolver says where no name server told it anything of the name, good or bad (RFC 3493 section 6.1)."""

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def resolve(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, as the system's resolver orders them. Blocks.

    Raises:
        SourceError: kind "dns"; says whether nobody knows the name, or nobody was there to ask.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in UNANSWERED:
            raise SourceError("dns", f"no name server gives an answer about {host!r}") from None
        raise SourceError("dns", f"the name {host!r} is not known to the name server") from None
    except (OSError, UnicodeError):  # UnicodeError: a label too long for IDNA
        raise SourceError("dns", f"the name {host!r} is not known to the name server") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


_TRANSLATED = tuple(
    ip_network(network)
    for network in (
        "::/96",  # IPv4-compatible, RFC 4291 section 2.5.5.1
        "::ffff:0:0/96",  # IPv4-mapped, section 2.5.5.2: a socket sends these as IPv4
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 7915
        "64:ff9b::/96",  # NAT64, RFC 6052
    )
)
"""IPv6 addresses that stand for the IPv4 address in their last 32 bits."""


def meant(address: Address) -> Address:
    """The address that is reached: the IPv4 address itself where an IPv6 address only stands for one."""
    number = int(address)
    if number > 1 and any(address in block for block in _TRANSLATED):  # :: and ::1 stand for themselves
        return IPv4Address(number & 0xFFFFFFFF)
    return address


@dataclass(frozen=True)
class AllowedDestinations:
    """What the URLs of one kind of stream may reach."""

    schemes: frozenset[str] | None = None
    """None: every scheme."""
    networks: tuple[Network, ...] | None = None
    """None: every address, SPECIAL ones too."""
    resolver: Resolve = field(default=resolve, compare=False)

    @property
    def pins(self) -> bool:
        """Whether a connection must go to the address that was judged, and to no other of that name."""
        return self.networks is not None

    def require_scheme(self, scheme: str) -> None:
        """Check a scheme.

        Raises:
            SourceError: kind "forbidden"; says which are allowed.
        """
        if self.schemes is not None and scheme not in self.schemes:
            allowed = ", ".join(f"{known}://" for known in sorted(self.schemes))
            raise SourceError("forbidden", f"{scheme}:// is not allowed for this stream; allowed are {allowed}")

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Resolve a host to the numeric addresses that may be connected to.

        Raises:
            SourceError: kind "dns", or "forbidden" where one address of several is not allowed: such an answer is an
                attempt to have the good one judged and the bad one used.
        """
        found = self.resolver(host, port)
        for text in found:
            self.require_address(ip_address(text))
        return found

    def require_address(self, address: Address) -> None:
        """Check one address.

        Raises:
            SourceError: kind "forbidden"; says what the address is.
        """
        if self.networks is None:
            return
        reached = meant(address)
        for block, what in SPECIAL:
            if reached in block and not any(reached in inner for inner in self._inside(block)):
                raise SourceError("forbidden", f"{address} is a {what} address, which streams may not reach")
        if not any(reached in network for network in self.networks):
            raise SourceError("forbidden", f"{address} is in none of the networks that streams may reach")

    def _inside(self, block: Network) -> Iterable[Network]:
        """The configured networks that name a part of a special block on purpose."""
        for network in self.networks or ():
            if isinstance(network, IPv4Network) and isinstance(block, IPv4Network) and network.subnet_of(block):
                yield network
            if isinstance(network, IPv6Network) and isinstance(block, IPv6Network) and network.subnet_of(block):
                yield network


OPERATOR = AllowedDestinations()
"""For what stands in the configuration file: whoever writes that may reach what he likes."""
STRANGER = AllowedDestinations(frozenset({"http", "https"}), EVERYWHERE)
"""For hosts that a playlist names, and nobody wrote down: everything but SPECIAL addresses."""
