"""What callers of the Instrlabs API send: bodies, and the parameters of lists."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from media_jobs.api.shared.bodies.field_names import check_known, made_once
from media_jobs.api.shared.bodies.upload_fields import UploadFields
from media_jobs.instruction_lists import Asked
from media_jobs.states import InstructionStatus, JobState

#: The word of each state of a file on the wire.
STATUS = {
    JobState.QUEUED: "PENDING",
    JobState.PROCESSING: "PROCESSING",
    JobState.DONE: "DONE",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "FAILED",
}
STATUSES = ("PENDING", "PROCESSING", "DONE", "FAILED")
INSTRUCTION_STATUS = {status: status.upper() for status in InstructionStatus}
_STATUS_HELP: dict[str, Any] = {"invalid_choice": f"takes one of {', '.join(STATUSES)}."}
MOST_ON_A_PAGE = 200


class CreateForm(serializers.Serializer[None]):
    """The body of POST /instructions."""

    productId = serializers.CharField(  # noqa: N815  (the wire's spelling)
        max_length=64, help_text="The id, or the name, of a product that is open to you."
    )
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="For people.")


class FilesForm(UploadFields):
    """The form of POST …/details; its text fields hold for all files."""

    files = serializers.ListField(
        child=serializers.FileField(), help_text="The files, all in this one field; a single one may come as `file`."
    )


class PageQuery(serializers.Serializer[None]):
    """The parameters of all lists."""

    page = serializers.IntegerField(default=1, min_value=1, max_value=1_000_000)
    pageSize = serializers.IntegerField(  # noqa: N815
        default=20, min_value=1, max_value=MOST_ON_A_PAGE, help_text="How many at most."
    )
    before = serializers.UUIDField(
        required=False,
        help_text="The anchor that the first page gave: what was added since is left out, so that pages stay stable.",
    )


class InstructionsQuery(PageQuery):
    """Each narrows the choice."""

    status = serializers.ChoiceField(choices=STATUSES, required=False, error_messages=_STATUS_HELP)
    createdAfter = serializers.DateTimeField(  # noqa: N815
        required=False, help_text="Made then or later: a date or a moment, in UTC unless it says otherwise."
    )
    createdBefore = serializers.DateTimeField(required=False, help_text="Made before that.")  # noqa: N815


class FilesQuery(PageQuery):
    """Each narrows the choice."""

    kind = serializers.ChoiceField(
        choices=("files", "uploads"),
        default="files",
        help_text="`files` of instructions, or `uploads` that were announced and never became an image.",
    )
    status = serializers.ChoiceField(choices=STATUSES, required=False, error_messages=_STATUS_HELP)
    productId = serializers.UUIDField(required=False)  # noqa: N815
    owner = serializers.CharField(max_length=255, required=False, help_text="A caller, such as key:web.")
    due = serializers.BooleanField(default=False, help_text="Only those whose time is over.")


def body_of(form: type[serializers.Serializer[None]], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON body, checked. Raises ValidationError, UnknownField."""
    serializer = made_once(form)
    check_known(sent, serializer.fields.keys())
    found: dict[str, Any] = serializer.run_validation(dict(sent))
    return found


def query_of(form: type[serializers.Serializer[None]], request: Request) -> dict[str, Any]:
    """Return the parameters, checked. Raises ValidationError, UnknownField."""
    query = request.query_params
    serializer = made_once(form)
    check_known(query, serializer.fields.keys())
    found: dict[str, Any] = serializer.run_validation(query.dict())
    return found


def asked_page(query: Mapping[str, Any]) -> Asked:
    return Asked(query["page"], query["pageSize"], query.get("before"))


def states_of(status: str | None) -> list[JobState]:
    """Return the states that have this word on the wire."""
    return [state for state, word in STATUS.items() if word == status]
