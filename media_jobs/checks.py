"""What `manage.py check --deploy` finds wrong with a service that is meant for the world."""

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning


@register(Tags.security, deploy=True)
def production(**_: Any) -> list[CheckMessage]:
    """Errors are what opens the service; warnings what one may want otherwise."""
    return [*_open_doors(), *_tokens(), *_limits()]


def _open_doors() -> Iterator[CheckMessage]:
    if settings.ALLOW_ANONYMOUS:
        yield Error(
            "Callers without credentials are let in.",
            hint="Set ALLOW_ANONYMOUS=false, and PUBLIC_BASE_URL to the address by which the world comes.",
            id="gallimg.E001",
        )
    if not settings.PUBLIC_BASE_URL.startswith("https://"):
        yield Error(
            f"PUBLIC_BASE_URL is {settings.PUBLIC_BASE_URL}: keys, tokens and cookies would travel in the open.",
            hint="Set it to an https:// address, of a proxy that ends TLS.",
            id="gallimg.E002",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Error("ALLOWED_HOSTS lets any host name in.", hint="Name those that are yours.", id="gallimg.E003")
    if any(network.prefixlen == 0 for network in settings.TRUSTED_PROXIES):
        yield Error(
            "TRUSTED_PROXIES trusts everybody: whoever calls may choose the address that limits count.",
            hint="Name the addresses of your proxies.",
            id="gallimg.E004",
        )
    if settings.WEBHOOK_ALLOW_LOOPBACK:
        yield Error(
            "Whoever may register webhooks can have events posted to services of the workers' own hosts.",
            hint="Set WEBHOOK_ALLOW_LOOPBACK=false.",
            id="gallimg.E006",
        )
    if settings.METRICS_PORT and not settings.METRICS_TOKEN and not _is_loopback(settings.METRICS_HOST):
        yield CheckWarning(
            f"Whoever reaches {settings.METRICS_HOST}:{settings.METRICS_PORT} reads the metrics.",
            hint="Set METRICS_TOKEN, or see to it that only Prometheus reaches that address.",
            id="gallimg.W001",
        )


def _tokens() -> Iterator[CheckMessage]:
    url = urlsplit(settings.JWT_JWKS_URL)
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        yield Error(
            "JWT_JWKS_URL is fetched in the open: whoever sits on the line may sign tokens.",
            hint="Set it to an https:// address.",
            id="gallimg.E005",
        )
    if (settings.JWT_SECRET or settings.JWT_JWKS_URL) and not (settings.JWT_ISSUER and settings.JWT_AUDIENCE):
        yield CheckWarning(
            "Tokens are taken whoever issued them, or whatever for, if only their signature is right.",
            hint="Set JWT_ISSUER and JWT_AUDIENCE.",
            id="gallimg.W002",
        )


def _limits() -> Iterator[CheckMessage]:
    off = [
        name
        for name in ("UPLOADS_PER_MINUTE", "READS_PER_MINUTE", "ADDRESS_UPLOADS_PER_MINUTE", "ADDRESS_READS_PER_MINUTE")
        if not getattr(settings, name)
    ]
    if settings.JWT_SECRET and not settings.SIGN_INS_PER_MINUTE:
        off.append("SIGN_INS_PER_MINUTE")
    if off:
        yield CheckWarning(f"There is no limit where {' and '.join(off)} are 0.", hint="Set some.", id="gallimg.W003")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
