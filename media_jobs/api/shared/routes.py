"""The routes of the APIs: which addresses are theirs, and which one somebody meant who missed it."""

import difflib
import re
from collections.abc import Iterator
from functools import cache

from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

#: Of the Instrlabs API, whose answers come in its envelope.
_IN_ENVELOPES = ("/instructions", "/products", "/files", "/health")
_PREFIXES = ("/v1", "/api", "/ofrep", *_IN_ENVELOPES)
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
#: How alike two addresses are, from 0 to 1, of which one is taken for a slip of the other.
_ALIKE = 0.6
_MOST_CHARACTERS = 200


def is_of_api(path: str) -> bool:
    """Whether it lies below one of the APIs' prefixes, or is one of them."""
    return _is_below(path, _PREFIXES)


def takes_envelope(path: str) -> bool:
    """Whether answers at this address, errors too, come in the envelope of the Instrlabs API."""
    return _is_below(path, _IN_ENVELOPES)


def _is_below(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def hint(path: str) -> str:
    """Return a sentence on what could be meant by a path that does not exist."""
    wanted = path.rstrip("/")
    if path.endswith("/") and _exists(wanted):
        return f"Addresses have no slash at their end: {wanted}"
    for route, with_any_id in _routes():
        if with_any_id.fullmatch(wanted):
            return f"An id is a UUID as earlier answers gave it: {route}"
    near = difflib.get_close_matches(wanted[:_MOST_CHARACTERS], [route for route, _ in _routes()], 1, _ALIKE)
    return f"The nearest one is {near[0]}" if near else "All are listed at /docs."


def _exists(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


@cache
def _routes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The address of each call as `/docs` spells it, with a pattern that takes anything for its ids."""
    found = []
    for route in _below(get_resolver(), "/"):
        if is_of_api(route):
            spelt = _PARAMETER.sub(r"{\1}", route)
            found.append((spelt, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(spelt)))))
    return tuple(found)


def _below(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        elif route == "/" or is_of_api(route):
            yield from _below(entry, route)
