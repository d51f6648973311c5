"""Where a request comes from, and whether a proxy stands between."""

import ipaddress

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: What proxies add. Some add nothing unless told to. Then nginx speaks HTTP/1.0, which no client of today does, and
#: HAProxy leaves the port that its own client asked for.
_TRACES = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def came_through_proxy(request: HttpRequest, host: str | None = None) -> bool:
    """Whether anything in the request's head tells of a proxy. Whoever adds nothing and hides well is not seen.

    host: what the caller has asked for, where that was checked already. Raises DisallowedHost otherwise.
    """
    meta = request.META
    return (
        any(name in meta for name in _TRACES)
        or any(name.startswith("HTTP_X_FORWARDED") for name in meta)
        or meta.get("SERVER_PROTOCOL") == "HTTP/1.0"
        or (split_domain_port(request.get_host() if host is None else host)[1] or "80") != meta.get("SERVER_PORT")
    )


def is_local(request: HttpRequest) -> bool:
    """Whether the request comes from this machine, and from nowhere beyond. Raises DisallowedHost."""
    return _is_from_loopback(request) and not came_through_proxy(request)


def is_local_by_name(request: HttpRequest) -> bool:
    """Whether it does, and asks for a name of loopback, or for one of ALLOWED_HOSTS.

    Another name may be that of a foreign page, whose name somebody has let lead here.
    """
    asked = request.META.get("HTTP_HOST", "")
    if not validate_host(split_domain_port(asked)[0], _LOOPBACK_NAMES):
        try:
            asked = request.get_host()
        except DisallowedHost:
            return False
    return _is_from_loopback(request) and not came_through_proxy(request, asked)


def _is_from_loopback(request: HttpRequest) -> bool:
    peer = _parsed(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and peer.is_loopback


def client_address(request: HttpRequest) -> str:
    """Whom limits count: see `client`. Of an IPv6 address its network of 64 bits, which is what one customer has."""
    found = client(request)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or "unknown")


def sign_in_address(request: HttpRequest) -> str | None:
    """Who signs in: as `client_address`, and always an address."""
    address = client_address(request).partition("/")[0]
    return None if address == "unknown" else address


def client(request: HttpRequest) -> _Address | None:
    """The peer, or where that is a trusted proxy, the last client that no trusted proxy is; None on a unix socket.

    X-Forwarded-For alone is believed: a proxy that appends to it may pass on any other header as it came.
    """
    found = _parsed(request.META.get("REMOTE_ADDR", ""))
    named = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while found is not None and named and _is_trusted(found):
        before = _parsed(named.pop())
        if before is None:
            break
        found = before
    return found


def _is_trusted(address: _Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _parsed(text: str) -> _Address | None:
    """An address as proxies and sockets write them: perhaps with a port, or IPv4 in IPv6's clothes."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
