"""/v1/runs: parse, call once, translate. A run is seen and moved by whoever began it, and by staff who may."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import run_lists, staleness
from media_jobs.api.runs.fields import ItemsQuerySerializer, NewRunSerializer, RunsQuerySerializer
from media_jobs.api.runs.id_lists import CsvParser
from media_jobs.api.runs.serializers import ItemsSerializer, RunSerializer, RunsSerializer, StaleSerializer
from media_jobs.api.shared.auth import caller_of, holds
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, is_json, object_of
from media_jobs.api.shared.openapi import answers
from media_jobs.models import ReprocessRun
from media_jobs.services.runs import lifecycle

_NO_STORE = {"Cache-Control": "no-store"}
_RUN = OpenApiResponse(RunSerializer, description="The run")
_QUERY = ("bad_field", "unknown_field", "permission_denied")
_LOCATION = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    response=[201],
    description="Of the run.",
)
_MANAGE = "media_jobs.manage_reprocessrun"
#: Parameters that may come several times.
_LISTS = ("renditions", "states", "tags", "stale")


class _RunsView(APIView):
    """For callers who are known: strangers share one name."""

    parser_classes = [ObjectParser]
    known_callers_only = True

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if not caller_of(request).is_authenticated:
            raise PermissionDenied("Runs belong to a caller: send credentials, or sign in.")

    def owner(self, request: Request) -> str:
        """Whose runs and images these are; empty: everybody's."""
        return "" if holds(request, _MANAGE) else caller_of(request).id

    def run(self, request: Request, id: UUID) -> ReprocessRun:
        found = run_lists.run(id, owner=self.owner(request))
        if found is None:
            raise Http404
        return found


class RunsView(_RunsView):
    parser_classes = [ObjectParser, CsvParser]

    @extend_schema(
        operation_id="listRuns",
        summary="Your reprocess runs, newest first",
        parameters=[RunsQuerySerializer],
        responses=answers.of_reads({200: OpenApiResponse(RunsSerializer, description="A page")}, *_QUERY),
    )
    def get(self, request: Request) -> Response:
        asked = RunsQuerySerializer.read(request.query_params.dict())
        runs, following = run_lists.page(self.owner(request), **asked)
        return Response(RunsSerializer({"runs": runs, "next": following}).data, headers=_NO_STORE)

    @extend_schema(
        operation_id="createRun",
        summary="Describe a run, and learn what it would cost",
        description="Nothing is done before it is confirmed. It is about your own images; staff who may manage runs "
        "reach all. A list of up to 100,000 ids comes as text/csv, one in a line, and the fields in the query.",
        parameters=[_LOCATION],
        request={"application/json": NewRunSerializer, "text/csv": str},
        responses=answers.of_changes(
            {201: OpenApiResponse(RunSerializer, description="A draft, with its estimate")},
            "unknown_preset",
            *answers.JSON_BODY,
        ),
    )
    def post(self, request: Request) -> Response:
        fields = NewRunSerializer.read(_fields_of(request))
        if (listed := _listed(request)) is not None:
            fields["image_ids"] = listed
        run = lifecycle.create(owner=caller_of(request), images_of=self.owner(request), **fields)
        return _answer(run, status=201, Location=reverse("v1-run", args=[run.pk]))


class RunView(_RunsView):
    @extend_schema(
        operation_id="getRun",
        summary="A run and how far it is",
        responses=answers.of_reads({200: _RUN}, "permission_denied", "not_found"),
    )
    def get(self, request: Request, id: UUID) -> Response:
        return _answer(self.run(request, id))


class ItemsView(_RunsView):
    @extend_schema(
        operation_id="listRunItems",
        summary="The ledger of a run: what became of each image",
        parameters=[ItemsQuerySerializer],
        responses=answers.of_reads({200: OpenApiResponse(ItemsSerializer, description="A page")}, "not_found", *_QUERY),
    )
    def get(self, request: Request, id: UUID) -> Response:
        asked = ItemsQuerySerializer.read(request.query_params.dict())
        items, following = run_lists.items(self.run(request, id), **asked)
        return Response(ItemsSerializer({"items": items, "next": following}).data, headers=_NO_STORE)


class _MoveView(_RunsView):
    """One verb of `lifecycle`."""

    move: Callable[..., ReprocessRun]

    def post(self, request: Request, id: UUID) -> Response:
        run = self.run(request, id)
        return _answer(type(self).move(run.pk, actor=caller_of(request)))


def _moving(call: str, summary: str, description: str) -> Any:
    """What the document says of such a call."""
    answered = answers.of_changes({200: _RUN}, "not_found", "wrong_state")
    said = extend_schema(operation_id=call, summary=summary, description=description, request=None, responses=answered)
    return extend_schema_view(post=said)


@_moving("confirmRun", "Confirm a run", "Its set of images is frozen, and it begins.")
class ConfirmView(_MoveView):
    move = lifecycle.confirm


@_moving(
    "pauseRun",
    "Pause a run",
    "It begins nothing more, and is `paused` once what is in work has ended; after five minutes that is given up.",
)
class PauseView(_MoveView):
    move = lifecycle.pause


@_moving("resumeRun", "Resume a run", "It goes on where it was, also after it stopped by itself.")
class ResumeView(_MoveView):
    move = lifecycle.resume


@_moving("cancelRun", "Cancel a run", "What is left is skipped. What is done stays, and can be rolled back.")
class CancelView(_MoveView):
    move = lifecycle.cancel


@_moving(
    "acceptRun",
    "Accept a run",
    "What it made is good: what it replaced is removed once that is a week ago. After a week a run counts as accepted.",
)
class AcceptView(_MoveView):
    move = lifecycle.accept


@_moving(
    "rollBackRun",
    "Roll a run back",
    "Image by image the derivatives of before become current again, rows and bytes as they were.",
)
class RollBackView(_MoveView):
    move = lifecycle.roll_back


class StalenessView(_RunsView):
    @extend_schema(
        operation_id="countStale",
        summary="How many derivatives are stale, and why",
        description="Of your own images; staff who may manage runs are told of all.",
        responses=answers.of_reads({200: OpenApiResponse(StaleSerializer, description="Counts")}, "permission_denied"),
    )
    def get(self, request: Request) -> Response:
        return Response(StaleSerializer(staleness.count(self.owner(request))).data, headers=_NO_STORE)


def _listed(request: Request) -> list[UUID] | None:
    """The ids of a text/csv; None where the request is none."""
    return None if is_json(request) else object_of(request).get("image_ids")


def _fields_of(request: Request) -> dict[str, Any]:
    if _listed(request) is None:
        return dict(object_of(request))
    query = request.query_params
    return {name: query.getlist(name) if name in _LISTS else query[name] for name in query}


def _answer(run: ReprocessRun, *, status: int = 200, **headers: str) -> Response:
    return Response(RunSerializer(run).data, status=status, headers=_NO_STORE | headers)
