"""/v1/runs: parse, call once, translate. A run is seen and moved by whoever began it, and by staff who may."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import run_lists, staleness
from media_jobs.api.runs import schema
from media_jobs.api.runs.fields import ItemsQuerySerializer, NewRunSerializer, RunsQuerySerializer
from media_jobs.api.runs.id_lists import CsvParser
from media_jobs.api.runs.serializers import ItemsSerializer, RunSerializer, RunsSerializer, StaleSerializer
from media_jobs.api.shared.answers import answers
from media_jobs.api.shared.auth import caller_of, holds
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, is_json, object_of
from media_jobs.models import ReprocessRun
from media_jobs.services.runs import lifecycle

_NO_STORE = {"Cache-Control": "no-store"}
_MANAGE = "media_jobs.manage_reprocessrun"
#: Parameters that may come several times.
_LISTS = ("renditions", "states", "tags", "stale")


class _RunsView(APIView):
    """For callers who are known: strangers share one name."""

    parser_classes = [ObjectParser]

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
        operation_id="v1_runs_list",
        summary="Your reprocess runs, newest first",
        parameters=[RunsQuerySerializer],
        responses=answers({200: RunsSerializer}, {400: schema.BAD_FIELD, 403: schema.NO_CALLER}),
    )
    def get(self, request: Request) -> Response:
        asked = RunsQuerySerializer.read(request.query_params.dict())
        runs, following = run_lists.page(self.owner(request), **asked)
        return Response(RunsSerializer({"runs": runs, "next": following}).data, headers=_NO_STORE)

    @extend_schema(
        summary="Describe a run, and learn what it would cost",
        description="Nothing is done before it is confirmed. It is about your own images; staff who may manage runs "
        "reach all. A list of up to 100,000 ids comes as text/csv, one in a line, and the fields in the query.",
        request={"application/json": NewRunSerializer, "text/csv": str},
        responses=answers({201: RunSerializer}, {400: schema.BAD_RUN, 403: schema.NO_CALLER, 415: schema.NOT_READ}),
        examples=schema.DESCRIBED,
    )
    def post(self, request: Request) -> Response:
        fields = NewRunSerializer.read(_fields_of(request))
        if (listed := _listed(request)) is not None:
            fields["image_ids"] = listed
        run = lifecycle.create(owner=caller_of(request), images_of=self.owner(request), **fields)
        return _answer(run, status=201, Location=reverse("v1-run", args=[run.pk]))


class RunView(_RunsView):
    @extend_schema(
        summary="A run and how far it is",
        responses=answers({200: RunSerializer}, {403: schema.NO_CALLER, 404: schema.NO_RUN}),
    )
    def get(self, request: Request, id: UUID) -> Response:
        return _answer(self.run(request, id))


class ItemsView(_RunsView):
    @extend_schema(
        summary="The ledger of a run: what became of each image",
        parameters=[ItemsQuerySerializer],
        responses=answers({200: ItemsSerializer}, {400: schema.BAD_FIELD, 403: schema.NO_CALLER, 404: schema.NO_RUN}),
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


def _moving(summary: str, description: str, impossible: str) -> Any:
    """What the document says of such a call. impossible: when it is not possible."""
    answered = answers(
        {200: RunSerializer}, {403: schema.NO_CALLER, 404: schema.NO_RUN, 409: ("wrong_state", impossible)}
    )
    return extend_schema(summary=summary, description=description, request=None, responses=answered)


@_moving("Confirm a run", "Its set of images is frozen, and it begins.", "It was confirmed or cancelled before")
class ConfirmView(_MoveView):
    move = lifecycle.confirm


@_moving(
    "Pause a run",
    "It begins nothing more, and is `paused` once what is in work has ended; after five minutes that is given up.",
    "It is not running",
)
class PauseView(_MoveView):
    move = lifecycle.pause


@_moving("Resume a run", "It goes on where it was, also after it stopped by itself.", "It is neither paused nor so")
class ResumeView(_MoveView):
    move = lifecycle.resume


@_moving("Cancel a run", "What is left is skipped. What is done stays, and can be rolled back.", "It is over")
class CancelView(_MoveView):
    move = lifecycle.cancel


@_moving(
    "Accept a run",
    "What it made is good: what it replaced is removed once that is a week ago. After a week a run counts as accepted.",
    "It is not over, or was rolled back",
)
class AcceptView(_MoveView):
    move = lifecycle.accept


@_moving(
    "Roll a run back",
    "Image by image the derivatives of before become current again, rows and bytes as they were.",
    "It is not over, was accepted, or ended more than a week ago",
)
class RollBackView(_MoveView):
    move = lifecycle.roll_back


class StalenessView(_RunsView):
    @extend_schema(
        summary="How many derivatives are stale, and why",
        description="Of your own images; staff who may manage runs are told of all.",
        responses=answers({200: StaleSerializer}, {403: schema.NO_CALLER}),
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
