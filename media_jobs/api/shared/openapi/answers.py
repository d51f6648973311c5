"""What the calls of all APIs may answer, as the document tells it: errors by their codes, each with a real one."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from media_jobs.api.shared.openapi import captured
from media_jobs.api.shared.problem_types import TYPES, page_of
from media_jobs.api.shared.problems.documents import CONTENT_TYPE
from media_jobs.api.shared.problems.statuses import statuses

#: Of calls that take one small JSON object.
JSON_BODY = ("bad_json", "bad_field", "unknown_field", "fields_too_large", "unsupported_media_type")
#: Of calls that take files.
FORM_BODY = (
    "bad_form",
    "bad_field",
    "unknown_field",
    "missing_file",
    "empty_file",
    "too_many_files",
    "file_too_large",
    "fields_too_large",
    "unsupported_format",
    "unsupported_media_type",
    "too_many_uploads",
)
#: Of calls that read or write files of the storage, and of those that add to the work.
STORAGE = ("storage_unavailable", "storage_denied", "storage_clock_skewed", "storage_untrusted", "bucket_missing")
BACKLOG = ("backlog_full", "storage_full", *STORAGE)
#: Of calls with an Idempotency-Key, and with `wait`.
ONCE = ("bad_idempotency_key", "idempotency_key_reused")
WAIT = ("bad_wait",)

NOT_MODIFIED = OpenApiResponse(description="Nothing has changed")

_OF_ALL = (
    "bad_request",
    "wrong_host",
    "request_timeout",
    "address_too_long",
    "head_too_large",
    "method_not_allowed",
    "not_acceptable",
    "internal_error",
    "overloaded",
)
_OF_CALLERS = (
    "credential_missing",
    "bad_credential",
    "credential_expired",
    "bad_user_id",
    "may_not_act_for_users",
    "insufficient_scope",
    "quota_exceeded",
    "database_unavailable",
    "limits_unavailable",
    "token_keys_unavailable",
)
_OF_CHANGES = ("foreign_origin", "permission_denied")


class ProblemSerializer(serializers.Serializer[None]):
    """An error (RFC 9457). Some have further members, such as `violated-policies`."""

    type = serializers.CharField(help_text="The address of a page about this kind of error.")
    title = serializers.CharField(help_text="What it is called: one for each `type`.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What is wrong here, for people.")
    instance = serializers.CharField(  # type: ignore[assignment]  # RFC 9457's
        required=False, help_text="The path that was asked for; absent where the request was refused unread."
    )
    code = serializers.CharField(help_text="What is wrong, for machines.")


def of_reads(good: dict[Any, Any], *codes: str) -> dict[Any, Any]:
    """What a call of a known caller that changes nothing may answer: `good`, or problems of these codes.

    Those that all such calls have come with them.
    """
    return open_to_all(good, *_OF_CALLERS, *codes)


def of_changes(good: dict[Any, Any], *codes: str) -> dict[Any, Any]:
    """The same of a call that changes something."""
    return of_reads(good, *_OF_CHANGES, *codes)


def open_to_all(good: dict[Any, Any], *codes: str) -> dict[Any, Any]:
    """The same of a call that asks for no credential."""
    return good | problems([*_OF_ALL, *codes])


def problems(codes: Iterable[str]) -> dict[Any, Any]:
    """Return the answers to errors with these codes, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        for status in statuses(code):
            by_status[status].append(code)
    return {(status, CONTENT_TYPE): _answer(found) for status, found in sorted(by_status.items())}


def line(code: str) -> str:
    """What the description of an answer says of one of its codes."""
    return f"[`{code}`]({page_of(code)}) {TYPES[code].title}"


def _answer(codes: list[str]) -> OpenApiResponse:
    examples = [OpenApiExample(code, captured.PROBLEMS[code]) for code in codes if code in captured.PROBLEMS]
    return OpenApiResponse(ProblemSerializer, description="  \n".join(map(line, codes)), examples=examples)
