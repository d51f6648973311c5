"""All failures that the product expects, whatever else was imported so far."""

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import media_jobs
from media_jobs.errors import MediaError


@cache
def expected() -> tuple[type[MediaError], ...]:
    """Each kind of MediaError in the product; those of tests are none."""
    for module in pkgutil.walk_packages(media_jobs.__path__, "media_jobs."):
        if ".migrations" not in module.name:
            import_module(module.name)
    return tuple(kind for kind in _below(MediaError) if kind.__module__.startswith("media_jobs."))


def _below(base: type[MediaError]) -> Iterator[type[MediaError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _below(kind)
