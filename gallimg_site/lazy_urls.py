"""Addresses whose modules are imported when somebody asks for them: most processes never show a page."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RoutePattern
from django.utils.module_loading import import_string

Entries = list[URLPattern | URLResolver]


class LazyResolver(URLResolver):
    """What lies below `route`. load: asked for it with the first request there, or where an address of it is wanted."""

    def __init__(self, route: str, load: Callable[[], Entries], *, namespace: str) -> None:
        super().__init__(RoutePattern(route), [], app_name=namespace, namespace=namespace)
        self._load = load

    @cached_property
    def url_patterns(self) -> Entries:
        return self._load()

    def _populate(self) -> None:
        """Collect no names: Django has it done when it looks for any name, and finds these by their namespace."""
        self._populated = True


def later(view: str) -> Callable[..., HttpResponseBase]:
    """Return a view that is the one of this dotted name, imported when it is asked for."""

    def answer(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        found: HttpResponseBase = import_string(view)(request, **arguments)
        return found

    return answer
