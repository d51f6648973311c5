"""What a request asks for and cannot have; nothing was stored, and no job is concerned."""

from collections.abc import Sequence
from uuid import UUID

from media_jobs.errors.base import Blame, MediaError


class RequestError(MediaError):
    """What was asked for cannot be done; nothing was stored, and no job is concerned."""

    code = "request_error"
    blame = Blame.CALLER


class BadRequest(RequestError):
    """The request itself is wrong; the sentence says how to repair it."""

    code = "bad_request"


class MissingFile(BadRequest):
    code = "missing_file"


class EmptyFile(BadRequest):
    code = "empty_file"


class TooManyFiles(BadRequest):
    code = "too_many_files"


class BadForm(BadRequest):
    code = "bad_form"
    sentence = "The form cannot be read. Is its boundary the one that the Content-Type names?"


class BadJson(BadRequest):
    code = "bad_json"


class UnknownField(BadRequest):
    """A field that the call does not know. It is not ignored, as a misspelt switch would be."""

    code = "unknown_field"
    sentence = "There is no field “{name}”; the nearest one is “{nearest}”. Known fields: {known}."

    def __init__(self, name: str, *, nearest: str, known: Sequence[str]) -> None:
        super().__init__(name=name, nearest=nearest, known=", ".join(known))
        self.members = {"field": name, "nearest": nearest}


class UnknownPreset(BadRequest):
    code = "unknown_preset"
    sentence = "There is no preset “{name}”. Known presets: {known}."

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(name=name, known=", ".join(known) or "none")


class UnknownProduct(BadRequest):
    code = "unknown_product"
    sentence = "There is no product “{}” that is open to you. GET /products lists those that are."


class BatchRefused(BadRequest):
    """None of the files was taken. refusals: why, in the order of the files."""

    code = "batch_refused"
    sentence = "None of the {count} files was taken; see the problem of each."

    def __init__(self, refusals: Sequence[MediaError]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(count=len(refusals))


class BadIdempotencyKey(BadRequest):
    code = "bad_idempotency_key"
    sentence = "Idempotency-Key takes 1 to 255 visible ASCII characters, such as a UUID."


class UnknownUpload(BadRequest):
    code = "unknown_upload"
    sentence = "There is no such upload, or it is another's. POST /v1/uploads begins one."


class BadWebhookUrl(BadRequest):
    code = "bad_webhook_url"


class IdempotencyKeyReused(RequestError):
    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was sent before with another request; choose a new one for this one."


class WrongState(RequestError):
    code = "wrong_state"


class BadLegacyKey(BadRequest):
    """What was named as the site's own picture cannot be one, or lies where this service does not look."""

    code = "bad_legacy_key"
    sentence = (
        "“{key}” is no key of an original of the site: it takes one like {prefix}1234/1234_1700000000_original.jpg, "
        "of letters, digits and “. _ - /”."
    )


class ShadowExists(WrongState):
    """Nothing is done for the second one. shadow_id: of the first, where the caller may look at it."""

    code = "shadow_exists"
    sentence = "This key has a shadow already, {}. A key stands for one upload: give each its own."

    def __init__(self, why: str, *, shadow_id: UUID | None = None) -> None:
        super().__init__(why)
        self.members = {"shadowId": str(shadow_id)} if shadow_id else {}


class ShadowsFull(RequestError):
    code = "shadows_full"
    sentence = "Too many shadows are waiting already. Nothing was stored; uploads are taken all the same."
    retry_after_s = 60


class NotRestorable(WrongState):
    code = "not_restorable"
    sentence = "This image was not deleted, or too long ago to come back."


class UploadUsed(WrongState):
    code = "upload_used"
    sentence = "This upload has become an image already. POST /v1/uploads begins another one."


class UploadExpired(WrongState):
    code = "upload_expired"
    sentence = "This upload was begun too long ago. POST /v1/uploads begins another one."


class TooManyWebhooks(WrongState):
    code = "too_many_webhooks"
    sentence = "You have {limit} webhooks, and no more are allowed. Delete one that is of no use any more."


class WebhookDisabled(WrongState):
    code = "webhook_disabled"
    sentence = "This webhook is disabled: {} Enable it first."


class InstructionFull(RequestError):
    code = "instruction_full"
    sentence = "The product takes {limit:,} files in one instruction, and this one has as many. Make another one."


class FileCleaned(RequestError):
    code = "file_cleaned"
    sentence = "This file was cleaned up: its time was over, or somebody deleted it. What is known of it stays."


class UnknownVariant(RequestError):
    code = "unknown_variant"
    sentence = "This file has no variant “{name}”. It has: {known}."

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name=name, known=", ".join(known))


class NotProcessed(WrongState):
    code = "not_processed"
    sentence = "Nothing has been made of this file: its status is {status}. The variant “original” is there."


class BacklogFull(RequestError):
    code = "backlog_full"
    sentence = "Too many pictures are waiting already. Nothing was stored; please send it again later."
    retry_after_s = 30


class BadWait(BadRequest):
    code = "bad_wait"
    sentence = "wait takes a whole number of seconds from 0 to {longest_s}."


class BadCursor(BadRequest):
    code = "bad_cursor"
    sentence = "Last-Event-ID takes the id of an event of this stream, such as 123-456."


class JobsNotNamed(BadRequest):
    """Anonymous callers are all one caller: each would be told of everybody else's jobs."""

    code = "jobs_not_named"
    sentence = "Without credentials name the jobs to follow, as in /v1/events?job=ID&job=ID, at most {most}."


class TicketInvalid(RequestError):
    code = "ticket_invalid"
    sentence = "This ticket was used before, has expired, or was never issued. POST /v1/events/ticket gives another."


class TooManyWaiters(RequestError):
    code = "too_many_waiters"
    sentence = "As many callers wait here as there is room for. Please come again later, or look at the job itself."
    retry_after_s = 10


class WrongHost(BadRequest):
    code = "wrong_host"
    sentence = (
        "The request is for the host {host}, which this service does not know. Its operator sets PUBLIC_BASE_URL "
        "to the address by which it is reached, or ALLOWED_HOSTS to all of its names."
    )
