"""/v1/webhooks: parse, call once, translate. A webhook is seen and touched by its owner alone."""

import json
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.idempotency import REPLAYED, key_of
from media_jobs.api.webhooks import schema
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


class _OwnersView(APIView):
    """For callers who are known: strangers share one name, and would read each other's events."""

    parser_classes = [ObjectParser]

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if not caller_of(request).is_authenticated:
            raise PermissionDenied("Webhooks belong to a caller: send credentials, or sign in.")

    def endpoint(self, request: Request, id: UUID) -> WebhookEndpoint:
        found = selectors.webhooks(caller_of(request).id).filter(pk=id).first()
        if found is None:
            raise Http404
        return found


class WebhooksView(_OwnersView):
    @extend_schema(
        operation_id="v1_webhooks_list",
        summary="Your webhooks",
        responses=schema.answers({200: WebhooksSerializer}, {403: schema.NO_CALLER}),
    )
    def get(self, request: Request) -> Response:
        own = selectors.webhooks(caller_of(request).id)
        return Response(WebhooksSerializer({"webhooks": own}).data, headers=_NO_STORE)

    @extend_schema(
        summary="Register a webhook",
        description="From now on the events of your jobs are posted to `url`, signed as Standard Webhooks has it. The "
        "answer holds the secret, which is shown nowhere else.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=NewWebhookSerializer,
        responses=schema.answers(
            {201: CreatedWebhookSerializer},
            {400: schema.BAD_FIELD, 403: schema.NO_CALLER, 409: ("too_many_webhooks", "You have as many as allowed"),
             422: schema.KEY_REUSED},
        ),
        examples=schema.REGISTERED,
    )  # fmt: skip
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
        summary="A webhook",
        responses=schema.answers({200: WebhookSerializer}, {403: schema.NO_CALLER, 404: schema.NO_WEBHOOK}),
    )
    def get(self, request: Request, id: UUID) -> Response:
        return Response(WebhookSerializer(self.endpoint(request, id)).data, headers=_NO_STORE)

    @extend_schema(
        summary="Change a webhook, disable or enable it",
        request=WebhookChangesSerializer,
        responses=schema.answers(
            {200: WebhookSerializer}, {400: schema.BAD_FIELD, 403: schema.NO_CALLER, 404: schema.NO_WEBHOOK}
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
        summary="Delete a webhook, with its deliveries",
        responses=schema.answers(
            {204: OpenApiResponse(description="It is gone")}, {403: schema.NO_CALLER, 404: schema.NO_WEBHOOK}
        ),
    )
    def delete(self, request: Request, id: UUID) -> Response:
        self.endpoint(request, id).delete()
        return Response(status=204)


class SecretView(_OwnersView):
    @extend_schema(
        summary="Get a new secret",
        description="For 24 hours the former one signs, too: there are two signatures in `webhook-signature`, and "
        "whoever knows one of the two secrets finds a good one.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=None,
        responses=schema.answers(
            {200: RotatedSerializer},
            {400: schema.BAD_KEY, 403: schema.NO_CALLER, 404: schema.NO_WEBHOOK, 422: schema.KEY_REUSED},
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
        summary="Send a test event",
        description="A worker sends `webhook.test` once, within seconds; the deliveries show what came of it.",
        request=None,
        responses=schema.answers(
            {202: DeliverySerializer}, {403: schema.NO_CALLER, 404: schema.NO_WEBHOOK, 409: schema.DISABLED}
        ),
    )
    def post(self, request: Request, id: UUID) -> Response:
        delivery = endpoints.send_test(self.endpoint(request, id))
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, status=202, headers=_NO_STORE)


class DeliveriesView(_OwnersView):
    @extend_schema(
        summary="What was sent, and what came of it",
        parameters=[DeliveryQuerySerializer],
        responses=schema.answers(
            {200: DeliveriesSerializer}, {400: schema.BAD_FIELD, 403: schema.NO_CALLER, 404: schema.NO_WEBHOOK}
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
        summary="Send one delivery again",
        description="The same payload with the same `webhook-id`; whether it was taken before does not matter.",
        request=None,
        responses=schema.answers(
            {202: DeliverySerializer}, {403: schema.NO_CALLER, 404: schema.NO_WEBHOOK, 409: schema.DISABLED}
        ),
    )
    def post(self, request: Request, id: UUID, delivery_id: UUID) -> Response:
        delivery = self.endpoint(request, id).deliveries.filter(pk=delivery_id).first()
        if delivery is None:
            raise Http404
        return Response(DeliverySerializer(replaying.replay(delivery)).data, status=202, headers=_NO_STORE)


class ReplayFailedView(_OwnersView):
    @extend_schema(
        summary="Send again all that was given up since a time",
        request=SinceSerializer,
        responses=schema.answers(
            {202: ReplayedSerializer},
            {400: schema.BAD_FIELD, 403: schema.NO_CALLER, 404: schema.NO_WEBHOOK, 409: schema.DISABLED},
        ),
    )
    def post(self, request: Request, id: UUID) -> Response:
        endpoint = self.endpoint(request, id)
        since = SinceSerializer.read(object_of(request))["since"]
        replayed = replaying.replay_failed(endpoint, since)
        return Response({"replayed": replayed}, status=202, headers=_NO_STORE)
