"""How a setting is described: its default, its limits, its text; and what values of several are made of."""

import dataclasses
import ipaddress
from typing import Any


class ConfigError(Exception):
    """One line that names the variable, what it got and what it takes."""


def setting(
    default: Any,
    help: str,
    *,
    least: int | None = None,
    most: int | None = None,
    choices: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """A field of `Env`. `help` is its text in docs/settings.md; `secret` values are never repeated in an error."""
    metadata = {
        "help": help,
        "least": least,
        "most": most,
        "choices": choices,
        "aliases": aliases,
        "secret": secret,
    }
    return dataclasses.field(default=default, metadata=metadata)


def takes(field: "dataclasses.Field[Any]") -> str:
    """What a right value looks like, in words."""
    meta = field.metadata
    if meta["choices"]:
        return "one of " + ", ".join(meta["choices"])
    if field.type is bool:
        return "true or false"
    if field.type is int:
        least, most = meta["least"], meta["most"]
        return f"a whole number from {least} to {most}" if most is not None else f"a whole number from {least}"
    return "text"


def listed(text: str) -> list[str]:
    """Return the parts of a comma-separated setting."""
    return [part.strip() for part in text.split(",") if part.strip()]


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, an IPv6 one perhaps in brackets, is this machine to itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
