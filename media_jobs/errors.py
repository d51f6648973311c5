"""What can go wrong, each with a code, a sentence for a person, and who is to blame.

No HTTP in here: every API decides for itself which status an error has. All in one module, because codes are looked
up among these classes, and a class whose module nobody imported would be missed.
"""

import errno
from enum import StrEnum
from typing import ClassVar


class Blame(StrEnum):
    """Whose fault it was that a job's attempt failed; `services.jobs.failures` knows what follows from it."""

    FILE = "file"  #: the file itself: trying again cannot help
    SERVER = "server"  #: storage, network or disk: later it may go well
    MACHINE = "machine"  #: memory or time: once more where there is more of both
    BUG = "bug"  #: ours: once more, should it have been a coincidence


class MediaError(Exception):
    """Base of all expected failures. `str(error)` is the sentence that a person may read."""

    code: ClassVar[str] = "internal_error"
    blame: ClassVar[Blame] = Blame.FILE
    #: Where the same request may go well later: in how many seconds, for `Retry-After`.
    retry_after_s: ClassVar[int | None] = None


# --- the request ---------------------------------------------------------------------------------


class BadRequest(MediaError):
    """The request itself is wrong; the sentence says how to mend it."""

    code = "bad_request"


class MissingFile(BadRequest):
    code = "missing_file"


class EmptyFile(BadRequest):
    code = "empty_file"


class TooManyFiles(BadRequest):
    code = "too_many_files"


class UnknownPreset(BadRequest):
    code = "unknown_preset"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no preset “{name}”. Known presets: {', '.join(known) or 'none'}.")


class BadIdempotencyKey(BadRequest):
    code = "bad_idempotency_key"

    def __init__(self) -> None:
        super().__init__("Idempotency-Key takes 1 to 255 visible ASCII characters, such as a UUID.")


class IdempotencyKeyReused(MediaError):
    """The key was used before, for something else."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was sent before with another request; choose a new one for this one.")


class UnknownUpload(BadRequest):
    code = "unknown_upload"

    def __init__(self) -> None:
        super().__init__("There is no such upload, or it is another's. POST /v1/uploads begins one.")


class WrongState(MediaError):
    """What was asked for is not possible in the state in which the job is."""

    code = "wrong_state"


class UploadUsed(WrongState):
    """Each upload becomes one image."""

    code = "upload_used"

    def __init__(self) -> None:
        super().__init__("This upload has become an image already. POST /v1/uploads begins another one.")


class UploadExpired(WrongState):
    code = "upload_expired"

    def __init__(self) -> None:
        super().__init__("This upload was begun too long ago. POST /v1/uploads begins another one.")


class BacklogFull(MediaError):
    """Too many jobs wait already; nothing was stored."""

    code = "backlog_full"
    retry_after_s = 30

    def __init__(self) -> None:
        super().__init__("Too many pictures are waiting already. Nothing was stored; please send it again later.")


# --- the picture ---------------------------------------------------------------------------------


class ImageRefused(MediaError):
    """The file itself is the reason; trying again cannot help."""

    code = "refused"


class FileTooLarge(ImageRefused):
    code = "file_too_large"

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"The file is too large; at most {limit_bytes / 1_048_576:g} MB are accepted.")


class UnsupportedFormat(ImageRefused):
    code = "unsupported_format"

    def __init__(self, found: str | None = None) -> None:
        what = f"This is {found}" if found else "This is not a picture of a known format"
        super().__init__(
            f"{what}; accepted are JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP and the raw files DNG, CR2, CR3, NEF, "
            "ARW, RAF, ORF and RW2."
        )


class RawWithoutPreview(ImageRefused):
    """The original is kept all the same; another program may develop it."""

    code = "raw_no_preview"

    def __init__(self) -> None:
        super().__init__("This raw file holds no preview picture to make others from. The original is kept.")


class TooManyPixels(ImageRefused):
    code = "too_many_pixels"

    def __init__(self, *, pixels: int, limit: int, frames: int = 1) -> None:
        what = f"The animation has {frames:,} frames of together" if frames > 1 else "The picture has"
        super().__init__(f"{what} {pixels:,} pixels; at most {limit:,} are allowed.")


class TooManyFrames(ImageRefused):
    code = "too_many_frames"

    def __init__(self, *, frames: int, limit: int) -> None:
        super().__init__(f"The file has {frames:,} frames or pages; at most {limit:,} are allowed.")


class ImplausibleRatio(ImageRefused):
    """So much picture in so few bytes is made to harm, not to be seen."""

    code = "implausible_ratio"

    def __init__(self, *, ratio: int, limit: int) -> None:
        super().__init__(
            f"The file would unpack to {ratio:,} times its size, which no real picture does; "
            f"at most {limit:,} times is allowed."
        )


class TooMuchMemory(ImageRefused):
    code = "too_much_memory"
    blame = Blame.MACHINE

    def __init__(self, *, needed_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"Decoding the picture would take about {needed_bytes // 1_048_576:,} MB of memory; "
            f"{limit_bytes // 1_048_576:,} MB are allowed."
        )


class Undecodable(ImageRefused):
    code = "undecodable"

    def __init__(self) -> None:
        super().__init__("The file is damaged or not really a picture; it could not be decoded.")


class Truncated(ImageRefused):
    code = "truncated"

    def __init__(self) -> None:
        super().__init__("The file breaks off in the middle; probably its upload or copy was cut short.")


class PrivacyLeak(ImageRefused):
    """An output was about to carry more than rights; a fault of ours, found by the scan before anything was stored."""

    code = "privacy_leak"

    def __init__(self, carries: str) -> None:
        super().__init__(f"A finished file still held {carries}, which must not be published; nothing was stored.")


def refused(code: str, sentence: str) -> ImageRefused:
    """The refusal that the sandbox child reported, as the exception that it was over there."""
    kind = next((k for k in ImageRefused.__subclasses__() if k.code == code), ImageRefused)
    error = kind.__new__(kind)
    Exception.__init__(error, sentence)
    return error


# --- files that came straight to the storage ------------------------------------------------------


class UploadMissing(ImageRefused):
    code = "upload_missing"

    def __init__(self) -> None:
        super().__init__("The file never arrived in the storage, or was removed before it was asked for.")


class UploadMismatch(ImageRefused):
    """It is not what was announced."""

    code = "upload_mismatch"

    def __init__(self, what: str) -> None:
        super().__init__(f"The file that arrived is not the one that was announced: its {what} differs.")


class UploadChanged(ImageRefused):
    """The form was used again after a worker had read the file."""

    code = "upload_changed"

    def __init__(self) -> None:
        super().__init__("The file was replaced by another while it was being worked on. Please upload it anew.")


# --- the machine ---------------------------------------------------------------------------------


class DecoderFailed(MediaError):
    """The decoder gave up in a way that nobody foresaw, or gave an answer that makes no sense."""

    code = "decoder_failed"
    blame = Blame.BUG

    def __init__(self, how: str) -> None:
        super().__init__(f"The decoder stopped in the middle of this picture ({how}).")


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

    def __init__(self, *, limit_s: float) -> None:
        super().__init__(f"The picture was not finished within {limit_s:g} seconds.")


class StorageUnavailable(MediaError):
    """The object store did not do what it was asked to; later it may."""

    code = "storage_unavailable"
    blame = Blame.SERVER
    retry_after_s = 5

    def __init__(self, doing: str) -> None:
        super().__init__(f"The storage did not answer while {doing}.")


class StorageDenied(StorageUnavailable):
    """The storage answers and refuses: the credentials are wrong, expired, or allow too little."""

    code = "storage_denied"
    retry_after_s = 60

    def __init__(self, doing: str) -> None:
        MediaError.__init__(
            self,
            f"The storage refused our credentials while {doing}. “manage.py bucket check” tells what is missing.",
        )


class StorageClockSkewed(StorageDenied):
    code = "storage_clock_skewed"

    def __init__(self, doing: str) -> None:
        MediaError.__init__(
            self, f"The storage refused us while {doing}: the clock of this host, or its own, is wrong by minutes."
        )


class BucketMissing(StorageUnavailable):
    code = "bucket_missing"
    retry_after_s = 60

    def __init__(self, doing: str) -> None:
        MediaError.__init__(
            self,
            f"The storage has no such bucket while {doing}. Check S3_BUCKET; “manage.py bucket setup” makes it.",
        )


class StorageFull(StorageUnavailable):
    """Less than MIN_FREE_DISK_MB is left where the objects are; nothing was stored."""

    code = "storage_full"
    retry_after_s = 60

    def __init__(self) -> None:
        MediaError.__init__(self, "There is too little room left on the disk of the storage. Nothing was stored.")


class WorkspaceFull(MediaError):
    """The disk of the worker's temporary files is full."""

    code = "disk_full"
    blame = Blame.SERVER

    def __init__(self) -> None:
        super().__init__("There is no room left on the disk for the worker's temporary files.")


def is_disk_full(error: BaseException) -> bool:
    """Whether a call of the system failed because a disk, or somebody's share of it, has no room left."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class KeyBeingDeleted(StorageUnavailable):
    """An object under the very same key is just being removed."""

    code = "key_being_deleted"

    def __init__(self) -> None:
        MediaError.__init__(self, "An old file of the same name is just being removed.")


class ReadsNotConfigured(MediaError):
    code = "reads_not_configured"

    def __init__(self) -> None:
        super().__init__("This server may write to the storage but not read from it; set S3_READ_* to allow it.")


class ObjectMissing(MediaError):
    """A row names an object that the storage does not have."""

    code = "object_missing"

    def __init__(self, key: str) -> None:
        super().__init__(f"The storage has no object “{key}”.")


class OriginalChanged(MediaError):
    """What came back from the storage is not what was stored."""

    code = "original_changed"
    blame = Blame.SERVER

    def __init__(self) -> None:
        super().__init__("The stored original is not the file that was uploaded: its checksum differs.")


class QueueUnavailable(MediaError):
    """Redis does not answer. Jobs are safe in their table and are queued again later."""

    code = "queue_unavailable"
    blame = Blame.SERVER

    def __init__(self) -> None:
        super().__init__("The queue does not answer; the job waits in the database.")


# --- the job -------------------------------------------------------------------------------------


class WorkerLost(MediaError):
    """The worker of the last attempt went silent."""

    code = "worker_lost"

    def __init__(self, *, attempts: int) -> None:
        super().__init__(
            f"The worker stopped answering in the middle of this picture, in the last of {attempts} attempts."
        )


class Unexpected(MediaError):
    """A bug of ours; the traceback is kept with the job."""

    code = "internal_error"
    blame = Blame.BUG

    def __init__(self) -> None:
        super().__init__("Something unforeseen went wrong in the service; the job's page in the admin says more.")


class NotClaimable(MediaError):
    """Another worker has the job, or nobody should have it. Not a failure."""

    code = "not_claimable"


class LeaseLost(MediaError):
    """The job was given to somebody else meanwhile; this result must be thrown away."""

    code = "lease_lost"


class WorkerStopping(MediaError):
    """This worker was told to stop and has no more time for the job: another one does it. Not a failure."""

    code = "worker_stopping"
