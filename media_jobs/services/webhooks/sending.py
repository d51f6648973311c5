"""Sends deliveries: claimed by a conditional update, posted without a transaction, and written down if still ours."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from media_jobs.errors import (
    DeliveryFailed,
    ReceiverGone,
    ReceiverRedirected,
    ReceiverRefused,
    ReceiverTimeout,
    ReceiverUnreachable,
)
from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.webhooks import endpoints, schedule
from media_jobs.states import DeliveryState, WebhookEvent

if TYPE_CHECKING:
    from media_jobs.adapters.webhooks.client import Reply

log = structlog.get_logger(__name__)

#: For one attempt, from the name to the answer.
LIMIT_S = 15.0
#: More than an attempt ever takes: resolving a name is the one step that cannot be cut short.
LEASE_S = 120.0
#: A webhook that has taken nothing for so long is disabled: as long as one event is tried.
GIVEN_UP_AFTER = timedelta(days=3)
_GONE = 410
#: The receiver is away, or somebody before it says so: nothing is wrong with the event.
_AWAY = Q(code__in=(ReceiverUnreachable.code, ReceiverTimeout.code)) | Q(response_status__in=(502, 503, 504))
#: After so many failures in a row a success means that the receiver is back.
_AWAY_FROM = 2


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process may send, once."""

    id: UUID
    endpoint_id: UUID
    attempt: int
    type: str
    url: str = field(repr=False)
    payload: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt. error: None where the event was taken."""

    reply: "Reply | None" = None
    error: DeliveryFailed | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook for which something is due. failing: its last attempt failed."""

    endpoint_id: UUID
    failing: bool


def waiting() -> list[Waiting]:
    """Return the webhooks for which something is due, those that work first."""
    due = _due().filter(endpoint=OuterRef("pk"))
    found = WebhookEndpoint.objects.filter(Exists(due), disabled_at=None).order_by("failures", "pk")
    return [Waiting(pk, failures > 0) for pk, failures in found.values_list("pk", "failures")]


def claim(endpoint_id: UUID) -> Claimed | None:
    """Take what is due for the webhook for longest; None where there is nothing, or others took it."""
    with transaction.atomic():
        # PostgreSQL passes over what others are just claiming; on SQLite a transaction is alone.
        due = _due().filter(endpoint=endpoint_id, endpoint__disabled_at=None).order_by("next_at")
        found = due.select_related("endpoint").select_for_update(of=("self",), skip_locked=True).first()
        if found is None:
            return None
        attempt = found.attempts + 1
        still = WebhookDelivery.objects.filter(pk=found.pk, state=DeliveryState.PENDING, attempts=found.attempts)
        if not still.update(attempts=attempt, lease_until=from_now(LEASE_S)):
            return None
    sent_at = timezone.now()
    return Claimed(
        id=found.pk,
        endpoint_id=endpoint_id,
        attempt=attempt,
        type=found.type,
        url=found.endpoint.url,
        payload=found.payload,
        headers=_client().signed_headers(found.message_id, sent_at, found.payload, found.endpoint.secrets(sent_at)),
    )


def send(claimed: Claimed) -> Sent:
    """Post it. Asks no database, and raises nothing."""
    try:
        reply = _client().post(
            claimed.url,
            claimed.payload,
            claimed.headers,
            limit_s=LIMIT_S,
            allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK,
        )
    except DeliveryFailed as error:
        return Sent(error=error)
    except Exception:  # else the delivery would be in hand for ever
        log.exception("webhook_crashed", webhook=str(claimed.endpoint_id), delivery=str(claimed.id))
        return Sent(error=DeliveryFailed("A bug in the service kept it from being sent; its log says more."))
    return Sent(reply, _error_of(reply.status))


def record(claimed: Claimed, sent: Sent) -> bool:
    """Write down what came of it, and what follows. False: it is not ours any more, and nothing is written."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=claimed.endpoint_id).first()
        delivery = WebhookDelivery.objects.filter(pk=claimed.id).first()
        if not endpoint or not delivery or not _close(delivery, claimed, sent):
            return False
        if sent.error is None:
            _note_success(endpoint)
        elif claimed.type != WebhookEvent.TEST:
            _note_failure(endpoint, sent.error)
    _log(claimed, sent)
    return True


def _client() -> Any:
    """What posts, imported with the first delivery: 5 MB, where nobody has a webhook."""
    from media_jobs.adapters.webhooks import client  # noqa: PLC0415

    return client


def _due() -> QuerySet[WebhookDelivery]:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return WebhookDelivery.objects.filter(free, state=DeliveryState.PENDING, next_at__lte=Now())


def _error_of(status: int) -> DeliveryFailed | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return ReceiverRedirected(status=status)
    return (ReceiverGone if status == _GONE else ReceiverRefused)(status=status)


def _close(delivery: WebhookDelivery, claimed: Claimed, sent: Sent) -> bool:
    """Update the delivery, if this attempt is still the one that counts."""
    held = WebhookDelivery.objects.filter(pk=claimed.id, state=DeliveryState.PENDING, attempts=claimed.attempt)
    outcome: dict[str, Any] = {
        "lease_until": None,
        "response_status": sent.reply.status if sent.reply else None,
        "response_body": sent.reply.body if sent.reply else "",
        "response_ms": sent.reply.ms if sent.reply else None,
        "code": sent.error.code if sent.error else "",
        "detail": str(sent.error) if sent.error else "",
    }
    return bool(held.update(**outcome, **_next(delivery, claimed, sent)))


def _next(delivery: WebhookDelivery, claimed: Claimed, sent: Sent) -> dict[str, Any]:
    """Return the fields that say when it is sent again, or that it is not."""
    ended = {"next_at": None, "not_before": None, "ended_at": Now()}
    if sent.error is None:
        return {"state": DeliveryState.DELIVERED, **ended}
    wait_s = schedule.wait_s(claimed.attempt - delivery.attempts_before)
    if wait_s is None or claimed.type == WebhookEvent.TEST or isinstance(sent.error, ReceiverGone):
        return {"state": DeliveryState.FAILED, **ended}
    asked_s = schedule.retry_after_s(sent.reply.retry_after) if sent.reply else 0
    return {"next_at": from_now(max(wait_s, asked_s)), "not_before": from_now(asked_s) if asked_s else None}


def _note_success(endpoint: WebhookEndpoint) -> None:
    """Where the receiver has been away, send at once what waits for that reason alone, unless it asked to wait."""
    if endpoint.failures >= _AWAY_FROM:
        asked = Q(not_before__gt=Now())
        waiting = endpoint.deliveries.filter(_AWAY, ~asked, state=DeliveryState.PENDING, next_at__gt=Now())
        waiting.update(next_at=Now())
    if endpoint.failures:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=0, failing_since=None)


def _note_failure(endpoint: WebhookEndpoint, error: DeliveryFailed) -> None:
    since = endpoint.failing_since or timezone.now()
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        failures=F("failures") + 1, failing_since=Coalesce("failing_since", Now())
    )
    if isinstance(error, ReceiverGone):
        endpoints.disable(endpoint, str(error))
    elif timezone.now() - since > GIVEN_UP_AFTER:
        endpoints.disable(endpoint, f"Nothing was taken for three days. The last attempt: {error}")


def _log(claimed: Claimed, sent: Sent) -> None:
    facts = {"webhook": str(claimed.endpoint_id), "delivery": str(claimed.id), "attempt": claimed.attempt}
    if sent.error is None and sent.reply:
        log.info("webhook_delivered", **facts, status=sent.reply.status, ms=sent.reply.ms)
    elif sent.error:
        log.warning("webhook_failed", **facts, code=sent.error.code, detail=str(sent.error))
