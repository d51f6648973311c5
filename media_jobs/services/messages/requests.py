"""Requests of others: an object that is in the storage already becomes a job, once."""

import hashlib
import json
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from media_jobs import keys, selectors
from media_jobs.callers import Caller, CallerKind
from media_jobs.errors import (
    BadMessage,
    DailyLimitReached,
    InstructionFull,
    KeyNotAllowed,
    MediaError,
    UnknownPreset,
    UnknownProduct,
    UnsupportedFormat,
    UploadExpired,
    UploadUsed,
)
from media_jobs.models import DeadLetter, DirectUpload, ImageRequest, Instruction, Job
from media_jobs.models.base import uuid7
from media_jobs.pipeline.formats.sniff import JPEG, Kind, announced
from media_jobs.services.instructions import adding, instructions, places, products
from media_jobs.services.jobs import estimates
from media_jobs.services.messages.schemas import IMAGE_REQUEST, problem
from media_jobs.services.uploads import direct_uploads
from media_jobs.services.uploads.intake import UploadOptions
from media_jobs.states import Lane

log = structlog.get_logger(__name__)

#: What a message is refused for: another delivery of it would end in the same way.
REFUSALS = (
    BadMessage,
    DailyLimitReached,
    KeyNotAllowed,
    InstructionFull,
    UnknownPreset,
    UnknownProduct,
    UploadExpired,
    UploadUsed,
)
_KEPT_CHARACTERS = 10_000


def take(payload: bytes) -> UUID | None:
    """Do what the message asks for; return the job that was made. None: it is known already.

    Raises one of REFUSALS, and what the database raises.
    """
    body = _read(payload)
    if "jobId" in body:  # our own: the row was there before it was published
        if not Job.objects.filter(pk=body["jobId"]).exists():
            log.info("request_of_unknown_job", job=body["jobId"])  # cleaned up since
        return None
    key, owner = _allowed(body["key"]), f"{settings.NATS_OWNER}|{body['userId']}"
    identity = hashlib.sha256(json.dumps([key, body.get("requestId")]).encode()).hexdigest()
    if ImageRequest.objects.filter(identity=identity).exists():
        return None
    estimates.pace(Lane.INTERACTIVE)  # now, and not while the transaction is open
    try:
        with transaction.atomic():
            return _accept(key, owner, body["product"], identity)
    except IntegrityError:
        if ImageRequest.objects.filter(identity=identity).exists():
            return None  # by another consumer, at this moment
        raise


def keep_dead_letter(
    error: MediaError, *, payload: bytes, subject: str, stream: str, sequence: int, deliveries: int
) -> None:
    """Keep a message that nothing can be made of, with the reason; once, however often that is done."""
    letter = DeadLetter(
        subject=subject[:255],
        stream=stream[:255],
        sequence=sequence,
        payload=payload.decode("utf-8", "backslashreplace").replace("\0", "\\x00")[:_KEPT_CHARACTERS],
        digest=hashlib.sha256(payload).hexdigest(),
        size_bytes=len(payload),
        deliveries=deliveries,
        code=error.code,
        detail=str(error),
    )
    DeadLetter.objects.bulk_create([letter], ignore_conflicts=True)
    log.warning("message_dead", stream=stream, sequence=sequence, code=error.code)  # its row has what it says


def _read(payload: bytes) -> dict[str, Any]:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BadMessage("It is not JSON.") from error
    if wrong := problem(IMAGE_REQUEST, body):
        raise BadMessage(wrong)
    found: dict[str, Any] = body
    return found


def _allowed(key: str) -> str:
    prefixes = tuple(filter(None, (keys.UPLOADS_PREFIX, settings.NATS_INBOX_PREFIX)))
    try:
        keys.checked(key)
    except ValueError:
        raise KeyNotAllowed(key[:100]) from None
    if not key.startswith(prefixes):
        raise KeyNotAllowed(key[:100])
    return key


def _accept(key: str, owner: str, product_name: str, identity: str) -> UUID:
    """Needs a transaction."""
    caller = Caller(owner, CallerKind.SYSTEM)
    product = products.find(product_name, owner)
    upload = _announced(key, owner)
    instruction = instructions.create(caller=caller, product=str(product.pk))
    instruction = Instruction.objects.select_related("product").get(pk=instruction.pk)
    place = places.take(instruction)
    accepted = direct_uploads.accept_rows(
        upload.pk,
        preset=selectors.current_preset(product.preset),
        caller=caller,
        options=UploadOptions(),
        limits=products.job_limits(product),
    )
    adding.join(instruction, accepted)
    places.use(instruction, [place] if place else [])
    ImageRequest.objects.create(identity=identity, key=key, owner=owner, job_id=accepted.job.pk)
    log.info("request_accepted", job=str(accepted.job.pk), upload=str(upload.pk))
    return accepted.job.pk


def _announced(key: str, owner: str) -> DirectUpload:
    """The upload that stands for the object: what its uploader announced, or a new one.

    Raises KeyNotAllowed for what somebody else announced: it is not theirs who asks.
    """
    found = DirectUpload.objects.filter(key=key).first()
    if found is None:
        filename = key.rpartition("/")[2]
        content_type = _kind(filename).content_type
        return DirectUpload.objects.create(
            id=uuid7(), owner=owner, filename=filename, content_type=content_type, key=key
        )
    if found.owner != owner:
        raise KeyNotAllowed(key[:100])
    return found


def _kind(filename: str) -> Kind:
    """What the file seems to be by its name; its worker sees what it is."""
    try:
        return announced("", filename)
    except UnsupportedFormat:
        return JPEG
