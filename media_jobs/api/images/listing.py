"""GET /v1/images: the caller's own images, page by page."""

import base64
import binascii
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from media_jobs import image_lists
from media_jobs.api.images.image_serializers import ImageSummarySerializer
from media_jobs.api.images.serializers import STATUS
from media_jobs.api.shared.bodies.field_names import check_known, made_once
from media_jobs.callers import Caller
from media_jobs.image_lists import Wanted
from media_jobs.states import JobState

_DELETED = "deleted"
_WORDS = [*sorted(set(STATUS.values())), _DELETED]


class CursorField(serializers.CharField):
    """Where the last page ended: an id that nobody needs to understand."""

    default_error_messages = {"cursor": "takes the nextCursor of an earlier page."}

    def to_internal_value(self, data: Any) -> UUID:  # type: ignore[override]
        try:
            return UUID(bytes=base64.b64decode(f"{super().to_internal_value(data)}==", altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            self.fail("cursor")


def cursor(image_id: UUID) -> str:
    """Return what `CursorField` reads."""
    return base64.urlsafe_b64encode(image_id.bytes).decode().rstrip("=")


class ListQuery(serializers.Serializer[None]):
    """The parameters, each of which narrows the choice."""

    status = serializers.ChoiceField(
        choices=_WORDS,
        required=False,
        help_text="Of the newest job; `deleted`: images that were deleted and can be restored.",
        error_messages={"invalid_choice": f"takes one of {', '.join(_WORDS)}."},
    )
    tag = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        max_length=10,
        help_text="A tag that it has; sent several times: all of them.",
    )
    createdAfter = serializers.DateTimeField(  # noqa: N815  (the wire's spelling)
        required=False, help_text="Uploaded then or later: a date or a moment, in UTC unless it says otherwise."
    )
    createdBefore = serializers.DateTimeField(  # noqa: N815
        required=False, help_text="Uploaded before that."
    )
    sha256 = serializers.RegexField(
        r"^[0-9a-fA-F]{64}\Z",
        required=False,
        help_text="Of the original, in hexadecimal.",
        error_messages={"invalid": "takes 64 hexadecimal digits."},
    )
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200, help_text="How many at most.")
    cursor = CursorField(required=False, help_text="The nextCursor of the page before.")


class ListSerializer(serializers.Serializer[None]):
    """One page of images."""

    images = ImageSummarySerializer(many=True)
    nextCursor = serializers.CharField(  # noqa: N815
        allow_null=True, help_text="Asks for the next page; null where this is the last. The header Link has it, too."
    )


LINK = OpenApiParameter(
    "Link",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description='The next page, where there is one (RFC 8288): `</v1/images?…>; rel="next"`.',
)


def answer(request: Request, caller: Caller) -> Response:
    """One page. Raises ValidationError, UnknownField."""
    query = request.query_params
    check_known(query, made_once(ListQuery).fields.keys())
    sent = {name: query.getlist(name) if name == "tag" else query[name] for name in query}
    asked: dict[str, Any] = made_once(ListQuery).run_validation(sent)
    status = asked.get("status")
    wanted = Wanted(
        states=[state for state in JobState if STATUS[state] == status],
        tags=asked.get("tag", ()),
        after=asked.get("createdAfter"),
        before=asked.get("createdBefore"),
        sha256=asked.get("sha256", "").lower(),
        deleted=status == _DELETED,
    )
    page = image_lists.page(caller.id, wanted, cursor=asked.get("cursor"), size=asked["limit"])
    following = cursor(page.following) if page.following else None
    body = {"images": [ImageSummarySerializer(image).data for image in page.images], "nextCursor": following}
    return Response(body, headers={"Cache-Control": "no-store", **_link(request, following)})


def _link(request: Request, following: str | None) -> dict[str, str]:
    """RFC 8288."""
    if following is None:
        return {}
    asked = [(name, value) for name, values in request.query_params.lists() for value in values if name != "cursor"]
    return {"Link": f'<{request.path}?{urlencode([*asked, ("cursor", following)])}>; rel="next"'}
