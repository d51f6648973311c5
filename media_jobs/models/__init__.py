"""One module per aggregate, with those that belong together in a folder."""

from media_jobs.models.access.api_key import ApiKey
from media_jobs.models.access.event_ticket import EventTicket
from media_jobs.models.bulk import BulkAction, BulkItem
from media_jobs.models.change import Change
from media_jobs.models.cutover.flag import FeatureFlag, FlagChange
from media_jobs.models.cutover.shadow import Shadow
from media_jobs.models.derivative import Derivative
from media_jobs.models.instructions.instruction import Instruction, InstructionDetail, Product, ProductDay, UploadPlace
from media_jobs.models.instructions.messaging import DeadLetter, ImageRequest, NatsRelay
from media_jobs.models.instructions.stored import StoredEntry
from media_jobs.models.job import EventClock, Job, JobEvent
from media_jobs.models.maintenance import Installation, MaintenanceTask, Tombstone
from media_jobs.models.metric import MetricEntry, WorkerProcess
from media_jobs.models.original import Original, Tag
from media_jobs.models.presets.preset import Preset, Rendition
from media_jobs.models.presets.preset_preview import PresetPreview
from media_jobs.models.reprocess_run import EngineVersion, ReprocessRun, RunItem, RunListedImage
from media_jobs.models.uploads.direct_upload import DirectUpload
from media_jobs.models.uploads.idempotency import IdempotencyKey
from media_jobs.models.webhook import WebhookCursor, WebhookDelivery, WebhookEndpoint

__all__ = [
    "ApiKey",
    "BulkAction",
    "BulkItem",
    "Change",
    "DeadLetter",
    "Derivative",
    "DirectUpload",
    "EngineVersion",
    "EventClock",
    "EventTicket",
    "FeatureFlag",
    "FlagChange",
    "IdempotencyKey",
    "ImageRequest",
    "Installation",
    "Instruction",
    "InstructionDetail",
    "Job",
    "JobEvent",
    "MaintenanceTask",
    "MetricEntry",
    "NatsRelay",
    "Original",
    "Preset",
    "PresetPreview",
    "Product",
    "ProductDay",
    "Rendition",
    "ReprocessRun",
    "RunItem",
    "RunListedImage",
    "Shadow",
    "StoredEntry",
    "Tag",
    "Tombstone",
    "UploadPlace",
    "WebhookCursor",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WorkerProcess",
]
