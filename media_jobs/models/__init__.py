"""One module per aggregate."""

from media_jobs.models.api_key import ApiKey
from media_jobs.models.derivative import Derivative
from media_jobs.models.direct_upload import DirectUpload
from media_jobs.models.event_ticket import EventTicket
from media_jobs.models.idempotency import IdempotencyKey
from media_jobs.models.instruction import Instruction, InstructionDetail, Product, ProductDay, UploadPlace
from media_jobs.models.job import EventClock, Job, JobEvent
from media_jobs.models.maintenance import MaintenanceTask, Tombstone
from media_jobs.models.messaging import DeadLetter, ImageRequest, NatsRelay
from media_jobs.models.original import Original, Tag
from media_jobs.models.preset import Preset, Rendition
from media_jobs.models.stored import StoredEntry
from media_jobs.models.webhook import WebhookCursor, WebhookDelivery, WebhookEndpoint

__all__ = [
    "ApiKey",
    "DeadLetter",
    "Derivative",
    "DirectUpload",
    "EventClock",
    "EventTicket",
    "IdempotencyKey",
    "ImageRequest",
    "Instruction",
    "InstructionDetail",
    "Job",
    "JobEvent",
    "MaintenanceTask",
    "NatsRelay",
    "Original",
    "Preset",
    "Product",
    "ProductDay",
    "Rendition",
    "StoredEntry",
    "Tag",
    "Tombstone",
    "UploadPlace",
    "WebhookCursor",
    "WebhookDelivery",
    "WebhookEndpoint",
]
