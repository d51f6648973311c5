"""What can go wrong, each with a code, a sentence for a person, and whether trying again can help.

No HTTP in here: every API decides for itself which status an error has.
"""

from typing import ClassVar


class MediaError(Exception):
    """Base of all expected failures. `str(error)` is the sentence that a person may read."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False


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


class BacklogFull(MediaError):
    """Too many jobs wait already; nothing was stored."""

    code = "backlog_full"
    retryable = True
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


# --- the machine ---------------------------------------------------------------------------------


class DecoderFailed(MediaError):
    """The sandbox child ended without an answer."""

    code = "decoder_crashed"
    retryable = True

    def __init__(self, how: str) -> None:
        super().__init__(f"The decoder stopped in the middle of this picture ({how}).")


class DecoderTimeout(MediaError):
    code = "render_timeout"
    retryable = True

    def __init__(self, *, limit_s: float) -> None:
        super().__init__(f"The picture was not finished within {limit_s:g} seconds.")


class StorageUnavailable(MediaError):
    """The object store did not do what it was asked to; later it may."""

    code = "storage_unavailable"
    retryable = True

    def __init__(self, doing: str) -> None:
        super().__init__(f"The storage did not answer while {doing}.")


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
    retryable = True

    def __init__(self) -> None:
        super().__init__("The stored original is not the file that was uploaded: its checksum differs.")


class QueueUnavailable(MediaError):
    """Redis does not answer. Jobs are safe in their table and are queued again later."""

    code = "queue_unavailable"
    retryable = True

    def __init__(self) -> None:
        super().__init__("The queue does not answer; the job waits in the database.")


# --- the job -------------------------------------------------------------------------------------


class WorkerLost(MediaError):
    """The lease ran out MAX_ATTEMPTS times: every worker that took the job went silent."""

    code = "worker_lost"

    def __init__(self, *, attempts: int) -> None:
        super().__init__(f"The worker stopped answering in the middle of this picture, {attempts} times in a row.")


class Unexpected(MediaError):
    """A bug of ours; the traceback is in the log under the job's id."""

    code = "internal_error"
    retryable = True

    def __init__(self) -> None:
        super().__init__("Something unforeseen went wrong in the service; its log says more.")


class NotClaimable(MediaError):
    """Another worker has the job, or nobody should have it. Not a failure."""

    code = "not_claimable"


class LeaseLost(MediaError):
    """The job was given to somebody else meanwhile; this result must be thrown away."""

    code = "lease_lost"
