"""What can go wrong: each class has a code, a sentence for a person, and who is to blame.

No HTTP in here: every API decides for itself which status an error has. All in one module, because codes are looked
up among these classes, and a class whose module nobody imported would be missed.
"""

import errno
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar


class Blame(StrEnum):
    """Whose fault it was that a job's attempt failed; `services.jobs.failures` knows what follows from it."""

    FILE = "file"  #: the file itself: trying again cannot help
    SERVER = "server"  #: storage, network or disk: later it may go well
    MACHINE = "machine"  #: memory or time: once more where there is more of both
    BUG = "bug"  #: ours: once more, should it have been a coincidence
    CALLER = "caller"  #: whoever sent the request: there is no job
    NOBODY = "nobody"  #: not a failure


class MediaError(Exception):
    """Base of all expected failures. `str(error)` is the sentence that a person may read.

    The arguments fill the template `sentence`, by position or by name: `Undecodable()`,
    `StorageUnavailable("listing files")`, `TooManyFrames(frames=9, limit=5)`.
    """

    code: ClassVar[str]
    #: Stated by each class, or by its parent for all of a kind: ImageRefused, StorageUnavailable, RequestError.
    blame: ClassVar[Blame]
    sentence: ClassVar[str] = "{}"
    #: Where the same request may go well later: in how many seconds, for `Retry-After`.
    retry_after_s: ClassVar[int | None] = None
    #: What programs are told beside code and sentence, JSON-ready.
    members: Mapping[str, Any] = {}

    def __init__(self, *facts: object, **named_facts: object) -> None:
        super().__init__(self.sentence.format(*facts, **named_facts))


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


class BacklogFull(RequestError):
    code = "backlog_full"
    sentence = "Too many pictures are waiting already. Nothing was stored; please send it again later."
    retry_after_s = 30


class CredentialMissing(RequestError):
    code = "credential_missing"
    sentence = (
        "Say who calls: send “Authorization: Bearer” with a token or an API key. "
        "Without either, only callers on the service's own machine are let in, and none that come through a proxy."
    )


class BadCredential(RequestError):
    """Whoever sends it is nobody; the sentence says what is wrong with it, and repeats nothing of it."""

    code = "bad_credential"


class CredentialExpired(BadCredential):
    code = "credential_expired"
    sentence = "{} has expired."


class NotPermitted(RequestError):
    """The caller is known, and may not do this."""

    code = "not_permitted"


class InsufficientScope(NotPermitted):
    code = "insufficient_scope"
    sentence = "This takes a credential with the scope “{scope}”; yours has: {held}."

    def __init__(self, *, scope: str, held: list[str]) -> None:
        self.scope = scope
        super().__init__(scope=scope, held=", ".join(held) or "none")


class MayNotActForUsers(NotPermitted):
    code = "may_not_act_for_users"
    sentence = "X-User-ID counts only beside an API key that may act for users. {}"


class ForeignOrigin(NotPermitted):
    code = "foreign_origin"
    sentence = "A page of {origin} may not do this; UPLOAD_ORIGINS does not name it."


class BadUserId(BadRequest):
    code = "bad_user_id"
    sentence = "X-User-ID takes 1 to 200 visible ASCII characters."


class TokensNotIssued(RequestError):
    code = "tokens_not_issued"
    sentence = "This service issues no tokens of its own: JWT_SECRET is not set."


class QuotaExceeded(RequestError):
    """The caller, or the address, has asked too often.

    policies: the names of those limits. retry_after_s: until the last of them is over.
    """

    code = "quota_exceeded"
    sentence = "Too many requests: the limit “{names}” is used up. Try again in {seconds} s."

    def __init__(self, *, policies: list[str], retry_after_s: int) -> None:
        self.policies, self.wait_s = policies, retry_after_s
        super().__init__(names="”, “".join(policies), seconds=retry_after_s)


class LimitsUnavailable(RequestError):
    """Redis, which counts requests, does not answer; callers whom nobody knows have to wait for it."""

    code = "limits_unavailable"
    sentence = "Requests without credentials cannot be counted at the moment. Please send it again later."
    retry_after_s = 5


class TokenKeysUnavailable(RequestError):
    code = "token_keys_unavailable"
    sentence = "The keys that sign tokens cannot be fetched at the moment. Please send the request again later."
    retry_after_s = 10


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


class RequestTooSlow(RequestError):
    """The client sent less than it has to within its time, or nothing at all."""

    code = "request_timeout"
    sentence = "The request came too slowly, or not at all, and was given up. Nothing was stored. Please send it again."
    retry_after_s = 5


class NotHttp(RequestError):
    code = "not_http"
    sentence = "This is no HTTP request. Is it https? TLS ends at the proxy in front of this service."


class HeadTooLarge(RequestError):
    code = "head_too_large"
    sentence = "Address and header fields of the request are together larger than 64 KB."


class WrongHost(BadRequest):
    code = "wrong_host"
    sentence = (
        "The request is for the host {host}, which this service does not know. Its operator sets PUBLIC_BASE_URL "
        "to the address by which it is reached, or ALLOWED_HOSTS to all of its names."
    )


class TooManyUploads(RequestError):
    code = "too_many_uploads"
    sentence = "As many uploads as can be taken are on their way. Nothing was stored. Please send it again later."
    retry_after_s = 5


class Overloaded(RequestError):
    code = "overloaded"
    sentence = "More requests are being answered than can be. Please send it again later."
    retry_after_s = 5


class ImageRefused(MediaError):
    """The file itself is the reason; trying again cannot help, unless a class says otherwise."""

    code = "refused"
    blame = Blame.FILE


class FileTooLarge(ImageRefused):
    code = "file_too_large"
    sentence = "The file is too large; at most {limit_mb:g} MB are accepted."

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(limit_mb=limit_bytes / 1_048_576)


class UnsupportedFormat(ImageRefused):
    code = "unsupported_format"
    sentence = (
        "This is {found}; accepted are JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP and the raw files DNG, CR2, CR3, "
        "NEF, ARW, RAF, ORF and RW2."
    )

    def __init__(self, found: str | None = None) -> None:
        super().__init__(found=found or "not a picture of a known format")


class RawWithoutPreview(ImageRefused):
    code = "raw_no_preview"
    sentence = "{found}{why} The original is kept."

    def __init__(self, *, size_px: tuple[int, int] = (0, 0), least_px: int = 0, coding: str = "") -> None:
        """size_px: of the largest preview that is read here, if any. coding: of a larger one that is not."""
        width, height = size_px
        found = (
            f"The largest preview in this raw file has {width}×{height} pixels; "
            f"its longer side must have {least_px} (RAW_MIN_PREVIEW_PX)."
            if width
            else "This raw file holds no preview picture to make others from."
        )
        codings = {"HEVC": "HEVC (Canon's HDR PQ)", "JPEG XL": "JPEG XL (DNG 1.7)"}
        why = f" Its real preview is coded as {codings.get(coding, coding)}, which is not read here." if coding else ""
        super().__init__(found=found, why=why)


class TooManyPixels(ImageRefused):
    code = "too_many_pixels"
    sentence = "{what} {pixels:,} pixels; at most {limit:,} are allowed."

    def __init__(self, *, pixels: int, limit: int, frames: int = 1) -> None:
        what = f"The animation has {frames:,} frames of together" if frames > 1 else "The picture has"
        super().__init__(what=what, pixels=pixels, limit=limit)


class TooManyFrames(ImageRefused):
    code = "too_many_frames"
    sentence = "The file has {frames:,} frames or pages; at most {limit:,} are allowed."


class ImplausibleRatio(ImageRefused):
    code = "implausible_ratio"
    sentence = (
        "The file would unpack to {ratio:,} times its size, which no real picture does; "
        "at most {limit:,} times is allowed."
    )


class TooMuchMemory(ImageRefused):
    code = "too_much_memory"
    blame = Blame.MACHINE
    sentence = "Decoding the picture would take about {needed_mb:,} MB of memory; {limit_mb:,} MB are allowed."

    def __init__(self, *, needed_bytes: int, limit_bytes: int) -> None:
        super().__init__(needed_mb=needed_bytes // 1_048_576, limit_mb=limit_bytes // 1_048_576)


class Undecodable(ImageRefused):
    code = "undecodable"
    sentence = "The file is damaged or not really a picture; it could not be decoded."


class Truncated(ImageRefused):
    code = "truncated"
    sentence = "The file breaks off in the middle; probably its upload or copy was cut short."


class PrivacyLeak(ImageRefused):
    """An output was about to carry more than rights; a fault of ours, found by the scan before anything was stored."""

    code = "privacy_leak"
    sentence = "A finished file still held {}, which must not be published; nothing was stored."


def refused(code: str, sentence: str) -> ImageRefused:
    """The refusal that the sandbox child reported, as the exception that it was over there."""
    kind = next((kind for kind in ImageRefused.__subclasses__() if kind.code == code), ImageRefused)
    return kind.__new__(kind, sentence)  # without __init__: the sentence is complete


class UploadMissing(ImageRefused):
    code = "upload_missing"
    sentence = "The file never arrived in the storage, or was removed before it was asked for."


class UploadMismatch(ImageRefused):
    code = "upload_mismatch"
    sentence = "The file that arrived is not the one that was announced: its {} differs."


class UploadChanged(ImageRefused):
    """The form was used again after a worker had read the file."""

    code = "upload_changed"
    sentence = "The file was replaced by another while it was being worked on. Please upload it anew."


class DecoderFailed(MediaError):
    """The decoder gave up in a way that nobody foresaw, or gave an answer that makes no sense."""

    code = "decoder_failed"
    blame = Blame.BUG
    sentence = "The decoder stopped in the middle of this picture ({})."


class DecoderCrashed(DecoderFailed):
    """It crashed (signal 6, 11 and the like) on a picture that was its first: the file did it."""

    code = "decoder_crashed"
    blame = Blame.FILE


class DecoderKilled(DecoderFailed):
    """Somebody ended it with signal 9: the kernel for lack of memory, or a person. Not the file's fault."""

    code = "decoder_killed"
    blame = Blame.MACHINE


class DecoderTimeout(MediaError):
    code = "render_timeout"
    blame = Blame.MACHINE
    sentence = "The picture was not finished within {limit_s:g} seconds."


class StorageUnavailable(MediaError):
    code = "storage_unavailable"
    blame = Blame.SERVER
    sentence = "The storage did not answer while {}."
    retry_after_s = 5


class StorageDenied(StorageUnavailable):
    """The storage answers and refuses: the credentials are wrong, expired, or allow too little."""

    code = "storage_denied"
    sentence = "The storage refused our credentials while {}. “manage.py bucket check” tells what is missing."
    retry_after_s = 60


class StorageClockSkewed(StorageDenied):
    code = "storage_clock_skewed"
    sentence = "The storage refused us while {}: the clock of this host, or its own, is wrong by minutes."


class BucketMissing(StorageUnavailable):
    code = "bucket_missing"
    sentence = "The storage has no such bucket while {}. Check S3_BUCKET; “manage.py bucket setup” makes it."
    retry_after_s = 60


class StorageFull(StorageUnavailable):
    """Less than MIN_FREE_DISK_MB is left where the objects are; nothing was stored."""

    code = "storage_full"
    sentence = "There is too little room left on the disk of the storage. Nothing was stored."
    retry_after_s = 60


class KeyBeingDeleted(StorageUnavailable):
    code = "key_being_deleted"
    sentence = "An old file of the same name is just being removed."


class WorkspaceFull(MediaError):
    code = "disk_full"
    blame = Blame.SERVER
    sentence = "There is no room left on the disk for the worker's temporary files."


def is_disk_full(error: BaseException) -> bool:
    """Whether a call of the system failed because a disk, or somebody's share of it, has no room left."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class ReadsNotConfigured(MediaError):
    code = "reads_not_configured"
    blame = Blame.FILE  # an attempt that meets it is not repeated: no waiting helps
    sentence = "This server may write to the storage but not read from it; set S3_READ_* to allow it."


class ObjectMissing(MediaError):
    code = "object_missing"
    blame = Blame.FILE
    sentence = "The storage has no object “{}”."


class OriginalChanged(MediaError):
    code = "original_changed"
    blame = Blame.SERVER
    sentence = "The stored original is not the file that was uploaded: its checksum differs."


class QueueUnavailable(MediaError):
    """Redis does not answer. Jobs are safe in their table and are queued again later."""

    code = "queue_unavailable"
    blame = Blame.SERVER
    sentence = "The queue does not answer; the job waits in the database."


class WorkerLost(MediaError):
    code = "worker_lost"
    blame = Blame.FILE  # it silenced one worker after the other
    sentence = "The worker stopped answering in the middle of this picture, in the last of {attempts} attempts."


class Unexpected(MediaError):
    code = "internal_error"
    blame = Blame.BUG
    sentence = "Something unforeseen went wrong in the service; the job's page in the admin says more."


class LeaseLost(MediaError):
    """The job was given to somebody else meanwhile, and this result must be thrown away. Raised with the job's id."""

    code = "lease_lost"
    blame = Blame.NOBODY


class WorkerStopping(MediaError):
    code = "worker_stopping"
    blame = Blame.NOBODY
    sentence = "This worker was told to stop; another one does the job."


class DeliveryFailed(MediaError):
    """An event did not reach its webhook; it is sent again. The sentence is for whoever runs the receiver."""

    code = "delivery_failed"
    blame = Blame.NOBODY


class ReceiverAddressRefused(DeliveryFailed):
    """Does not say where the name leads: callers must not learn of the networks behind this service."""

    code = "receiver_address_refused"
    sentence = "The name of the receiver leads to an address that is not on the public internet; nothing was sent."


class ReceiverUnreachable(DeliveryFailed):
    code = "receiver_unreachable"
    sentence = "The receiver could not be reached: {}."


class ReceiverTimeout(DeliveryFailed):
    code = "receiver_timeout"
    sentence = "The receiver did not answer within {limit_s:g} seconds."


class ReceiverRefused(DeliveryFailed):
    code = "receiver_refused"
    sentence = "The receiver answered {status}; only 200 to 299 count as taken."


class ReceiverRedirected(ReceiverRefused):
    code = "receiver_redirected"
    sentence = "The receiver answered {status} and sends us elsewhere, which is not followed; register the new address."


class ReceiverGone(ReceiverRefused):
    code = "receiver_gone"
    sentence = "The receiver answered {status}: it wants no more events."
