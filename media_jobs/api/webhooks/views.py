"""/v1/webhooks: parse, call once, translate. A webhook is seen and touched by its owner alone."""

import json
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.idempotency import REPLAYED, key_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.api.webhooks.fields import (
    DeliveryQuerySerializer,
    NewWebhookSerializer,
    SinceSerializer,
    WebhookChangesSerializer,
)
from media_jobs.api.webhooks.serializers import (
    CreatedWebhookSerializer,
    DeliveriesSerializer,
    DeliverySerializer,
    ReplayedSerializer,
    RotatedSerializer,
    WebhookSerializer,
    WebhooksSerializer,
)
from media_jobs.models import WebhookEndpoint
from media_jobs.services import idempotency
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.webhooks import endpoints, replaying

#: Secrets, and what changes by itself.
_NO_STORE = {"Cache-Control": "no-store"}
_SENDING = {202: OpenApiResponse(DeliverySerializer, description="It is sent by a worker, within seconds")}
_LOCATION = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    response=[201],
    description="Of the webhook.",
)


class _OwnersView(APIView):
    """For callers who are known: strangers share one name, and would read each other's events."""

    parser_classes = [ObjectParser]
    known_callers_only = True

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if not caller_of(request).is_authenticated:
            raise PermissionDenied("Webhooks belong to a caller: send credentials, or sign in.")

    def handle_exception(self, exc: Exception) -> Response:
        """What its owner deletes at this moment is not there, as if that had come first."""
        return super().handle_exception(Http404() if isinstance(exc, ObjectDoesNotExist) else exc)

    def endpoint(self, request: Request, id: UUID) -> WebhookEndpoint:
        found = selectors.webhooks(caller_of(request).id).filter(pk=id).first()
        if found is None:
            raise Http404
        return found


class WebhooksView(_OwnersView):
    @extend_schema(
        operation_id="listWebhooks",
        summary="Your webhooks",
        responses=answers.of_reads(
            {200: OpenApiResponse(WebhooksSerializer, description="All of them")}, "permission_denied"
        ),
    )
    def get(self, request: Request) -> Response:
        own = selectors.webhooks(caller_of(request).id)
        return Response(WebhooksSerializer({"webhooks": own}).data, headers=_NO_STORE)

    @extend_schema(
        operation_id="createWebhook",
        summary="Register a webhook",
        description="From now on the events of your jobs are posted to `url`, signed as Standard Webhooks has it. The "
        "answer holds the secret, which is shown nowhere else.",
        parameters=[*parameters.ONCE, _LOCATION],
        request=NewWebhookSerializer,
        responses=answers.of_changes(
            {201: OpenApiResponse(CreatedWebhookSerializer, description="The webhook, and its secret")},
            "bad_webhook_url",
            "too_many_webhooks",
            *answers.JSON_BODY,
            *answers.ONCE,
        ),
    )
    def post(self, request: Request) -> Response:
        fields = NewWebhookSerializer.read(object_of(request))
        owner, key = caller_of(request).id, key_of(request)

        def create() -> Answer:
            return Answer(201, dict(CreatedWebhookSerializer(endpoints.create(owner, **fields)).data))

        asked = {name: [json.dumps(value)] for name, value in object_of(request).items()}
        sent = Sent(owner, key, idempotency.fingerprint("webhook", asked)) if key else None
        answer = idempotency.once(sent, create)
        headers = {"Location": reverse("v1-webhook", args=[answer.body["webhookId"]]), **_NO_STORE}
        return Response(answer.body, status=answer.status, headers=headers | (REPLAYED if answer.replayed else {}))


class WebhookView(_OwnersView):
    @extend_schema(
        operation_id="getWebhook",
        summary="A webhook",
        responses=answers.of_reads(
            {200: OpenApiResponse(WebhookSerializer, description="The webhook")}, "permission_denied", "not_found"
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        return Response(WebhookSerializer(self.endpoint(request, id)).data, headers=_NO_STORE)

    @extend_schema(
        operation_id="changeWebhook",
        summary="Change a webhook, disable or enable it",
        request=WebhookChangesSerializer,
        responses=answers.of_changes(
            {200: OpenApiResponse(WebhookSerializer, description="As it is now")},
            "bad_webhook_url",
            "not_found",
            *answers.JSON_BODY,
        ),
    )
    def patch(self, request: Request, id: UUID) -> Response:
        endpoint = self.endpoint(request, id)
        changes = WebhookChangesSerializer.read(object_of(request))
        enabled = changes.pop("enabled", None)
        endpoints.change(endpoint, **changes)
        if enabled is not None:
            _ = endpoints.enable(endpoint) if enabled else endpoints.disable(endpoint, "Its owner has disabled it.")
            endpoint.refresh_from_db()
        return Response(WebhookSerializer(endpoint).data, headers=_NO_STORE)

    @extend_schema(
        operation_id="deleteWebhook",
        summary="Delete a webhook, with its deliveries",
        responses=answers.of_changes({204: OpenApiResponse(description="It is gone")}, "not_found"),
    )
    def delete(self, request: Request, id: UUID) -> Response:
        endpoints.delete(self.endpoint(request, id))
        return Response(status=204)


class SecretView(_OwnersView):
    @extend_schema(
        operation_id="rotateWebhookSecret",
        summary="Get a new secret",
        description="For 24 hours the former one signs, too: there are two signatures in `webhook-signature`, and "
        "whoever knows one of the two secrets finds a good one.",
        parameters=parameters.ONCE,
        request=None,
        responses=answers.of_changes(
            {200: OpenApiResponse(RotatedSerializer, description="The new secret")}, "not_found", *answers.ONCE
        ),
    )
    def post(self, request: Request, id: UUID) -> Response:
        endpoint = self.endpoint(request, id)
        owner, key = caller_of(request).id, key_of(request)

        def rotate() -> Answer:
            endpoints.rotate_secret(endpoint)
            return Answer(200, dict(RotatedSerializer(endpoint).data))

        sent = Sent(owner, key, idempotency.fingerprint(f"webhook secret {id}")) if key else None
        answer = idempotency.once(sent, rotate)
        return Response(answer.body, headers=_NO_STORE | (REPLAYED if answer.replayed else {}))


class TestView(_OwnersView):
    @extend_schema(
        operation_id="testWebhook",
        summary="Send a test event",
        description="A worker sends `webhook.test` once, within seconds; the deliveries show what came of it.",
        request=None,
        responses=answers.of_changes(_SENDING, "not_found", "webhook_disabled"),
    )
    def post(self, request: Request, id: UUID) -> Response:
        delivery = endpoints.send_test(self.endpoint(request, id))
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status=202, headers=_NO_STORE)


class DeliveriesView(_OwnersView):
    @extend_schema(
        operation_id="listDeliveries",
        summary="What was sent, and what came of it",
        parameters=[DeliveryQuerySerializer],
        responses=answers.of_reads(
            {200: OpenApiResponse(DeliveriesSerializer, description="A page")},
            "bad_field",
            "unknown_field",
            "permission_denied",
            "not_found",
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        endpoint = self.endpoint(request, id)
        asked = DeliveryQuerySerializer.read(request.query_params.dict())
        limit = asked.pop("limit")
        found = selectors.newest_deliveries(endpoint, **asked, at_most=limit + 1)
        page = found[:limit]
        following = page[-1].pk if len(found) > limit else None
        return Response(DeliveriesSerializer({"deliveries": page, "next": following}).data, headers=_NO_STORE)


class ReplayView(_OwnersView):
    @extend_schema(
        operation_id="replayDelivery",
        summary="Send one delivery again",
        description="The same payload with the same `webhook-id`; whether it was taken before does not matter.",
        request=None,
        responses=answers.of_changes(_SENDING, "not_found", "webhook_disabled"),
    )
    def post(self, request: Request, id: UUID, delivery_id: UUID) -> Response:
        delivery = self.endpoint(request, id).deliveries.filter(pk=delivery_id).first()
        if delivery is None:
            raise Http404
        return Response(DeliverySerializer(replaying.replay(delivery)).data, status=202, headers=_NO_STORE)


class ReplayFailedView(_OwnersView):
    @extend_schema(
        operation_id="replayFailedDeliveries",
        summary="Send again all that was given up since a time",
        request=SinceSerializer,
        responses=answers.of_changes(
            {202: OpenApiResponse(ReplayedSerializer, description="They are sent again")},
            "not_found",
            "webhook_disabled",
            *answers.JSON_BODY,
        ),
    )
    def post(self, request: Request, id: UUID) -> Response:
        endpoint = self.endpoint(request, id)
        since = SinceSerializer.read(object_of(request))["since"]
        replayed = replaying.replay_failed(endpoint, since)
        return Response({"replayed": replayed}, status=202, headers=_NO_STORE)
