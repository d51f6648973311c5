"""Which addresses are on the public internet.

The tables are IANA's registries of special-purpose addresses (2026-11), written out: what `ipaddress` calls global or
private differs from one version of Python to the next.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NOT_GLOBAL_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by the customers of a carrier
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local; metadata of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
#: All that is given to networks of the world; mapped, translated, local and multicast addresses are outside of it.
_GLOBAL_V6 = ip_network("2000::/3")
_NOT_GLOBAL_V6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address is in it
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def parse(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `text` is, with or without the brackets of a URL; None for a name."""
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None


def is_global(address: IPv4Address | IPv6Address) -> bool:
    """Whether somebody out there may have it, and nobody within our own networks."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_GLOBAL_V4)
    if address.scope_id or address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _NOT_GLOBAL_V6)


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _LOOPBACK)
