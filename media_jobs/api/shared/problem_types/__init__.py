"""What each code of an error means, and what to do about it: the text of its page, and the title of its documents.

A type resolves: it is the address of a page of this service, or the one under which IANA registers it. Neither type nor
title of a code ever changes, because clients compare them.
"""

from media_jobs.api.shared.problem_types import callers, connections, deliveries, files, requests, server
from media_jobs.api.shared.problem_types.base import ProblemType

PAGES = "/docs/problems/"
#: Each code that an error can have, in the order of the pages' list.
GROUPS: dict[str, dict[str, ProblemType]] = {
    "The request": requests.TYPES,
    "The connection": connections.TYPES,
    "The caller": callers.TYPES,
    "The file": files.TYPES,
    "The receiver of a webhook": deliveries.TYPES,
    "The service": server.TYPES,
}
TYPES = {code: found for types in GROUPS.values() for code, found in types.items()}


def page_of(code: str) -> str:
    """Return the path of the page about a code, the same on every host."""
    return f"{PAGES}{code}"


def uri_of(code: str) -> str:
    """Return the `type` of problem documents with this code."""
    known = TYPES.get(code)
    return (known.uri if known else "") or page_of(code)
