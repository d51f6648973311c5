"""The same request gets the same answer, and does its work once."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from media_jobs.errors import IdempotencyKeyReused, MediaError
from media_jobs.models import IdempotencyKey
from media_jobs.services.jobs.transitions import from_now

log = structlog.get_logger(__name__)

#: An older key is as if it had never been sent.
KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller receives. replayed: it is the answer to an earlier request, and nothing was done for this one."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that came with a key. fingerprint: see `fingerprint`."""

    owner: str
    key: str
    fingerprint: str


class _KeyTaken(Exception):
    """The same key was committed by another request at this moment."""


def fingerprint(
    operation: str, fields: Mapping[str, Sequence[str]] | None = None, *, filename: str = "", sha256: str = ""
) -> str:
    """Return the same for two requests that ask for the same. fields: as they were sent; sha256: of the file."""
    asked = [operation, sorted((name, list(values)) for name, values in (fields or {}).items()), filename, sha256]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def find(owner: str, key: str) -> IdempotencyKey | None:
    """Return what the key was used for within the last 24 hours."""
    return IdempotencyKey.objects.filter(owner=owner, key=key, created_at__gt=_oldest()).first()


def replay(earlier: IdempotencyKey, fingerprint: str) -> Answer:
    """Return the earlier request's answer. Raises IdempotencyKeyReused when that asked for something else."""
    if earlier.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    log.info("answer_replayed", owner=earlier.owner, status=earlier.status)
    return Answer(earlier.status, json.loads(earlier.answer), replayed=True)


def once(sent: Sent | None, do: Callable[[], Answer], *, beforehand: Callable[[], object] | None = None) -> Answer:
    """Call `do` in a transaction, unless the same request was answered before: then return that answer.

    When two arrive together, one is rolled back and returns the other's answer; if the other fails, it continues.
    beforehand: called before the transaction; perhaps twice. Raises IdempotencyKeyReused.
    """
    while True:
        if sent and (earlier := find(sent.owner, sent.key)):
            return replay(earlier, sent.fingerprint)
        if beforehand:
            beforehand()
        try:
            with transaction.atomic():
                answer = do()
                if sent:
                    _remember(sent, answer)
            return answer
        except _KeyTaken:
            continue  # the other's answer is there now
        except MediaError:
            # Perhaps it cannot be done because the same request did it a moment ago.
            if sent and (earlier := find(sent.owner, sent.key)):
                return replay(earlier, sent.fingerprint)
            raise


def _remember(sent: Sent, answer: Answer) -> None:
    """Write the answer down. Waits for a transaction that has written the same key and not ended yet."""
    # The body is kept as text: PostgreSQL would give its names back in another order.
    mine = {"owner": sent.owner, "key": sent.key}
    IdempotencyKey.objects.filter(**mine, created_at__lte=_oldest()).delete()
    try:
        IdempotencyKey.objects.create(
            **mine, fingerprint=sent.fingerprint, status=answer.status, answer=json.dumps(answer.body)
        )
    except IntegrityError as error:
        raise _KeyTaken from error


def _oldest() -> Any:
    return from_now(-KEPT.total_seconds())
