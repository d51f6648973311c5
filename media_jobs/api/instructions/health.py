"""/health: whether the parts of the service answer, and what is stored."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs.api.instructions import schema
from media_jobs.api.instructions.shared import answer
from media_jobs.api.shared.auth import caller_of
from media_jobs.callers import VIEW_IMAGES
from media_jobs.services import readiness, stored
from media_jobs.services.stored import Amount

_OWNERS = 100


class PartSerializer(serializers.Serializer[None]):
    state = serializers.ChoiceField(choices=["up", "down", "off"], help_text="off: not configured.")
    latencyMs = serializers.FloatField(allow_null=True)  # noqa: N815  (the wire's spelling)
    error = serializers.CharField(allow_null=True)


class PartsSerializer(serializers.Serializer[None]):
    database = PartSerializer()
    queue = PartSerializer(help_text="Without it files are taken, and processed a little later.")
    storage = PartSerializer()
    nats = PartSerializer(help_text="The service works without it; what is to be told waits.")
    work = PartSerializer(required=False, help_text="The folder of workers; where they are on this host.")


class AmountSerializer(serializers.Serializer[None]):
    kind = serializers.CharField()
    objects = serializers.IntegerField()
    bytes = serializers.IntegerField()
    owner = serializers.CharField(required=False, help_text="For staff who may see images.")


@extend_schema_serializer(component_name="PartsHealth")
class HealthSerializer(serializers.Serializer[None]):
    """Whether the parts of the service answer."""

    status = serializers.ChoiceField(choices=["UP", "DOWN"])
    checks = PartsSerializer()
    stored = AmountSerializer(many=True, required=False, help_text="With `detail`: yours, or everybody’s for staff.")


class HealthView(APIView):
    """Asks no credentials, as load balancers have none; `detail` does."""

    def get_authenticators(self) -> list[Any]:
        return super().get_authenticators() if self._is_detailed() else []

    def get_permissions(self) -> Any:
        return super().get_permissions() if self._is_detailed() else []

    def get_throttles(self) -> list[Any]:
        return super().get_throttles() if self._is_detailed() else []

    @extend_schema(
        operation_id="getPartsHealth",
        summary="Whether database, storage, queue and NATS answer",
        parameters=[schema.DETAIL],
        auth=[],
        responses=schema.open_to_all(
            {
                200: OpenApiResponse(schema.enveloped(HealthSerializer), description="Files are accepted"),
                503: OpenApiResponse(schema.enveloped(HealthSerializer), description="None is accepted now"),
            },
            "credential_missing",
            "bad_credential",
            "credential_expired",
            "insufficient_scope",
            "quota_exceeded",
        ),
    )
    def get(self, request: Request) -> Response:
        found = readiness.check_all()
        well = found.accepts_uploads
        data: dict[str, Any] = {
            "status": "UP" if well else "DOWN",
            "checks": {check.name: _part(check) for check in found.checks},
        }
        if self._is_detailed() and well:
            data["stored"] = _stored(request)
        return answer(_message(found), data, status=200 if well else 503, headers={"Cache-Control": "no-store"})

    def _is_detailed(self) -> bool:
        return self.request is not None and "detail" in self.request.GET  # None while the schema is made


def _message(found: readiness.Readiness) -> str:
    if not found.accepts_uploads:
        return "A part that is needed does not answer"
    if found.degraded:
        return f"Files are accepted; {', '.join(found.degraded)} does not answer"
    return "All parts answer"


def _part(check: readiness.Check) -> dict[str, Any]:
    if check.off:
        return {"state": "off", "latencyMs": None, "error": None}
    return {"state": "up" if check.ok else "down", "latencyMs": check.ms, "error": check.error}


def _stored(request: Request) -> list[dict[str, Any]]:
    caller = caller_of(request)
    if VIEW_IMAGES not in caller.permissions:
        return _said(stored.by_kind(caller.id))
    return _said(stored.by_kind()) + _said(stored.largest_owners(at_most=_OWNERS), owner=True)


def _said(amounts: Iterable[Amount], *, owner: bool = False) -> list[dict[str, Any]]:
    return [
        {"kind": amount.kind, "objects": amount.objects, "bytes": amount.bytes}
        | ({"owner": amount.owner} if owner else {})
        for amount in amounts
    ]
