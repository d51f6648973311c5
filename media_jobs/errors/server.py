"""What goes wrong around a picture: decoder, storage, disk, queue, workers."""

import errno

from media_jobs.errors.base import Blame, MediaError


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


class ComparingNotInstalled(MediaError):
    """What compares pictures is an optional extra."""

    code = "comparing_not_installed"
    blame = Blame.SERVER
    sentence = (
        "To compare pictures takes scikit-image, which is not installed on this worker. "
        "Install it: .venv/bin/pip install --require-hashes -r requirements-shadow.txt"
    )


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


class LegacyDenied(StorageDenied):
    """The site's own storage, or its part of ours."""

    code = "legacy_denied"
    sentence = (
        "The storage does not let these credentials read the pictures of the site below {prefix}. Where they are in "
        "S3_BUCKET, set LEGACY_PREFIX; “manage.py bucket policy” prints the rights that are needed."
    )


class LegacyFolderMissing(LegacyDenied):
    sentence = (
        "There is no folder {folder} on this host, where LEGACY_FOLDER says that the site has its pictures. Mount it, "
        "or correct the setting."
    )


class StorageClockSkewed(StorageDenied):
    code = "storage_clock_skewed"
    sentence = "The storage refused us while {}: the clock of this host, or its own, is wrong by minutes."


class StorageUntrusted(StorageUnavailable):
    """Whoever answers is perhaps not the storage: a setting is wrong, or a certificate has run out."""

    code = "storage_untrusted"
    sentence = "The certificate of the storage is not trusted, or it does not speak TLS, while {}. See AWS_CA_BUNDLE."
    retry_after_s = 60


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


class WorkspaceUnavailable(MediaError):
    """The system refuses what a worker needs for an attempt, such as its temporary files. Never the picture's fault."""

    code = "workspace_unavailable"
    blame = Blame.SERVER
    sentence = "The worker's temporary files cannot be written or read ({})."


class WorkspaceFull(WorkspaceUnavailable):
    code = "disk_full"
    sentence = "There is no room left on the disk for the worker's temporary files."


def is_disk_full(error: BaseException) -> bool:
    """Whether a call of the system failed because a disk, or somebody's share of it, has no room left."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class ReadsNotConfigured(MediaError):
    code = "reads_not_configured"
    blame = Blame.SERVER
    sentence = "This server may write to the storage but not read from it; set S3_READ_* to allow it."


class ObjectMissing(MediaError):
    code = "object_missing"
    blame = Blame.SERVER  # it was there when its upload was accepted
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


class NatsUnavailable(MediaError):
    """NATS does not answer. What is to be told of is safe in the history of jobs, and is told later."""

    code = "nats_unavailable"
    blame = Blame.SERVER
    sentence = "NATS does not answer ({})."


class WorkerLost(MediaError):
    code = "worker_lost"
    blame = Blame.FILE  # it silenced one worker after the other
    sentence = "The worker stopped answering in the middle of this picture, in the last of {attempts} attempts."


class Unexpected(MediaError):
    code = "internal_error"
    blame = Blame.BUG
    sentence = "Something unforeseen went wrong in the service; the job's page in the admin says more."


class AnswerFailed(Unexpected):
    """An application let an exception through to the server."""

    sentence = "Something went wrong in the service; its log says more."


class LeaseLost(MediaError):
    """The job was given to somebody else meanwhile, and this result must be thrown away. Raised with the job's id."""

    code = "lease_lost"
    blame = Blame.NOBODY


class WorkerStopping(MediaError):
    code = "worker_stopping"
    blame = Blame.NOBODY
    sentence = "This worker was told to stop; another one does the job."
