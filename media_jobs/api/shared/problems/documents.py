"""Problem documents (RFC 9457): what is answered to a request that failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from media_jobs.api.shared import envelope, routes
from media_jobs.api.shared.problem_types import TYPES, uri_of

CONTENT_TYPE = "application/problem+json"
#: What is wrong now may be right a moment later, and is between this caller and us.
_HEADERS = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is answered to a request that failed.

    own_headers: beside those that all have. members: further members of the document.
    """

    status: int
    code: str
    detail: str
    own_headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {**_HEADERS, **self.own_headers}

    def document(self, instance: str) -> dict[str, Any]:
        """Return the members of the document about the request of the path `instance`."""
        known = TYPES.get(self.code)
        return {
            "type": uri_of(self.code),
            "title": known.title if known else HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            **self.members,
        }

    def body(self, path: str) -> tuple[dict[str, Any], str]:
        """What is answered at this address, and its content type: the same, told in one of two ways."""
        if routes.takes_envelope(path):
            return envelope.of_error(self.code, self.detail, self.members), envelope.CONTENT_TYPE
        return self.document(path), CONTENT_TYPE


BROKEN = Problem(400, "bad_request", "The request breaks off or is not a well-formed form.")
FIELDS_TOO_LARGE = Problem(
    413, "fields_too_large", "The text fields, or the JSON, are too large. Was a file sent in a field that takes text?"
)
INTERNAL_ERROR = Problem(500, "internal_error", "Something went wrong in the service; its log says more.")
DATABASE_UNAVAILABLE = Problem(
    503, "database_unavailable", "The database does not answer. Please send the request again later.",
    {"Retry-After": "5"},
)  # fmt: skip
