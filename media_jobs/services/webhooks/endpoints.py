"""Webhooks themselves: who has which, with which secret, and whether it is in use."""

import base64
import secrets
from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from media_jobs import event_log
from media_jobs.adapters.webhooks import addresses
from media_jobs.errors import BadWebhookUrl, TooManyWebhooks, WebhookDisabled
from media_jobs.models import WebhookCursor, WebhookDelivery, WebhookEndpoint
from media_jobs.services.webhooks import fanout, payloads
from media_jobs.states import TOLD_BY_DEFAULT, WebhookEvent

log = structlog.get_logger(__name__)

#: Of one owner.
MOST = 20
#: After a rotation the former secret signs, too, for so long.
BOTH_VALID = timedelta(hours=24)
_SECRET_BYTES = 32
_LONGEST_URL = 2000


def check_url(url: str) -> None:
    """Raise BadWebhookUrl where events can never be sent there; what a name leads to is seen when they are."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadWebhookUrl("This is not an address; write it like https://example.org/hooks.") from None
    schemes = ("https", "http") if settings.WEBHOOK_ALLOW_LOOPBACK else ("https",)
    if parts.scheme not in schemes or not host:
        raise BadWebhookUrl("The address of a webhook begins with https:// and names a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadWebhookUrl("The address of a webhook has no user name, no password and no #fragment in it.")
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadWebhookUrl(
            f"The address of a webhook has at most {_LONGEST_URL} characters, all of them visible ASCII."
        )
    if not _may_be_sent_to(host):
        raise BadWebhookUrl("The address of a webhook must be on the public internet.")


def create(owner: str, url: str, event_types: Collection[str] = TOLD_BY_DEFAULT) -> WebhookEndpoint:
    """Make a webhook that hears of all events from now on. Its secret is in the answer, and shown nowhere later.

    Raises BadWebhookUrl, TooManyWebhooks.
    """
    check_url(url)
    with transaction.atomic():
        endpoint = WebhookEndpoint(owner=owner, url=url, event_types=_types(event_types), secret=_new_secret())
        _begin_now(endpoint)  # with the lock, under which they are counted
        if WebhookEndpoint.objects.filter(owner=owner).count() >= MOST:
            raise TooManyWebhooks(limit=MOST)
        endpoint.save(force_insert=True)
    log.info("webhook_created", webhook=str(endpoint.pk), owner=owner)
    return endpoint


def change(endpoint: WebhookEndpoint, *, url: str | None = None, event_types: Collection[str] | None = None) -> None:
    """Raises BadWebhookUrl, WebhookEndpoint.DoesNotExist."""
    if url is not None:
        check_url(url)
        endpoint.url = url
    if event_types is not None:
        endpoint.event_types = _types(event_types)
    _save(endpoint, "url", "event_types")


def delete(endpoint: WebhookEndpoint) -> None:
    """Delete it with its deliveries.

    The webhook is locked before them, as by whoever makes deliveries or writes down what came of one: otherwise each
    waits for the other.
    """
    with transaction.atomic():
        for held in WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk):
            held.delete()
    log.info("webhook_deleted", webhook=str(endpoint.pk), owner=endpoint.owner)


def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """Return a new secret. For BOTH_VALID the former one signs beside it; one that still did so before is over.

    Raises WebhookEndpoint.DoesNotExist.
    """
    former = endpoint.secret
    endpoint.secret, endpoint.previous_secret = _new_secret(), former
    endpoint.previous_until = timezone.now() + BOTH_VALID
    _save(endpoint, "secret", "previous_secret", "previous_until")
    log.info("webhook_secret_rotated", webhook=str(endpoint.pk))
    return endpoint.secret


def disable(endpoint: WebhookEndpoint, reason: str) -> bool:
    """Send nothing more to it, and say why; what waits is kept. False where it was disabled before."""
    disabled = WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(
        disabled_at=Now(), disabled_reason=reason
    )
    if disabled:
        log.warning("webhook_disabled", webhook=str(endpoint.pk), owner=endpoint.owner, reason=reason)
    return bool(disabled)


def enable(endpoint: WebhookEndpoint) -> bool:
    """Send what waits, and all events from now on; those since it was disabled are lost to it. False: it is enabled."""
    with transaction.atomic():
        if not WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).exclude(disabled_at=None).exists():
            return False
        _begin_now(endpoint)
        endpoint.disabled_at, endpoint.disabled_reason = None, ""
        endpoint.failures, endpoint.failing_since = 0, None
        endpoint.save(
            update_fields=[
                "disabled_at",
                "disabled_reason",
                "failures",
                "failing_since",
                "after_transaction",
                "after_event",
            ]
        )
    log.info("webhook_enabled", webhook=str(endpoint.pk))
    return True


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Have a worker send a test, once. Raises WebhookDisabled, WebhookEndpoint.DoesNotExist."""
    with transaction.atomic():
        held = held_enabled(endpoint.pk)
        return WebhookDelivery.objects.create(
            endpoint=held, message_id=f"test-{uuid4()}", type=WebhookEvent.TEST, payload=payloads.of_test()
        )


def held_enabled(pk: UUID) -> WebhookEndpoint:
    """Return the webhook, which nobody deletes before the transaction ends.

    Raises WebhookDisabled, WebhookEndpoint.DoesNotExist.
    """
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=pk)
    if endpoint.disabled_at:
        raise WebhookDisabled(endpoint.disabled_reason)
    return endpoint


def _save(endpoint: WebhookEndpoint, *fields: str) -> None:
    """Raises WebhookEndpoint.DoesNotExist where somebody has deleted it meanwhile."""
    values = {name: getattr(endpoint, name) for name in fields}
    if not WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**values):
        raise WebhookEndpoint.DoesNotExist


def _begin_now(endpoint: WebhookEndpoint) -> None:
    """Let the webhook hear of what comes after this moment. While none is enabled nobody reads: then that begins here.

    For a transaction, in which the cursor stays locked: of two that are the first, one waits for the other.
    """
    now = event_log.horizon()
    WebhookCursor.objects.bulk_create(
        [WebhookCursor(transaction_id=now.transaction_id, event_id=now.id)], ignore_conflicts=True
    )
    WebhookCursor.objects.select_for_update().get()
    if not WebhookEndpoint.objects.filter(disabled_at=None).exists():
        fanout.move_cursor(now)
    endpoint.after_transaction, endpoint.after_event = now.transaction_id, now.id


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _types(event_types: Collection[str]) -> list[str]:
    """Return them as they are stored: each once, in the order in which they happen."""
    return [told.value for told in WebhookEvent if told in event_types and told is not WebhookEvent.TEST]


def _may_be_sent_to(host: str) -> bool:
    address = addresses.parse(host)
    if address is None:
        return settings.WEBHOOK_ALLOW_LOOPBACK or not _is_local(host)
    return addresses.is_global(address) or (settings.WEBHOOK_ALLOW_LOOPBACK and addresses.is_loopback(address))


def _is_local(host: str) -> bool:
    """Whether the name never leads to the internet: one of this host, or of a network without domains."""
    name = host.rstrip(".").lower()
    return "." not in name or name.endswith((".localhost", ".local", ".internal", ".home.arpa", ".invalid", ".test"))
