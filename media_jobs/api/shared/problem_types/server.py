"""Errors of the service: the request was all right."""

from media_jobs.api.shared.limits.rate_limit_fields import REDUCED_CAPACITY
from media_jobs.api.shared.problem_types.base import ProblemType

_RETRY_JOB = "The service has tried again by itself. Retry the job later, or ask the operator."
_LATER = "Send the request again after as many seconds as the header Retry-After says."
_OPERATOR = "Nothing that a caller can do: the operator finds the cause in the log."
_REDUCED_TYPE, _REDUCED_TITLE = REDUCED_CAPACITY

TYPES = {
    "internal_error": ProblemType(
        "Internal error",
        "Something went wrong in the service that nobody foresaw. It is logged with all that is known of it.",
        "Try once more with the same Idempotency-Key. If it happens again, tell the operator when it was.",
    ),
    "backlog_full": ProblemType(
        _REDUCED_TITLE,
        "So many pictures wait already (MAX_BACKLOG) that no more are taken. Nothing was stored.",
        f"{_LATER} Uploads are taken again as soon as some are done.",
        _REDUCED_TYPE,
    ),
    "shadows_full": ProblemType(
        "Too many shadows",
        "So many shadows wait already (MAX_SHADOWS) that no more are taken. Nothing was stored; uploads are taken all "
        "the same.",
        f"{_LATER} A site need not: a part of its uploads is enough to compare.",
    ),
    "limits_unavailable": ProblemType(
        "Requests cannot be counted",
        "Redis, which counts requests, does not answer. Callers whom nobody knows wait until it does.",
        f"{_LATER} Calls with an API key or a token are answered meanwhile.",
    ),
    "token_keys_unavailable": ProblemType(
        "Keys of tokens away",
        "The address of the keys that sign tokens (JWT_JWKS_URL) does not answer, so the token cannot be judged.",
        f"{_LATER} The operator looks whether that address can be reached.",
    ),
    "too_many_waiters": ProblemType(
        "No room to wait",
        "As many callers wait for events as there is room for (MAX_WAITERS), or the server is about to stop.",
        f"{_LATER} Meanwhile GET /v1/jobs/{{jobId}} tells how far a job is.",
    ),
    "database_unavailable": ProblemType("Database away", "The database does not answer.", _LATER),
    "storage_unavailable": ProblemType(
        "Storage away",
        "The storage of files does not answer. A request that met this has stored nothing; a job waits and is tried "
        "again.",
        _LATER,
    ),
    "storage_denied": ProblemType(
        "Storage refuses the service",
        "The storage answers, and refuses the credentials of this service.",
        "The operator runs manage.py bucket check, which says what is missing.",
    ),
    "storage_clock_skewed": ProblemType(
        "Clocks differ",
        "The storage refuses requests because its clock and that of this service differ by minutes.",
        "The operator sets the clock, by NTP for example.",
    ),
    "legacy_denied": ProblemType(
        "Pictures of the site not readable",
        "The service may not read the pictures of the live site, or their folder is not there: nothing is compared.",
        "The operator sets LEGACY_PREFIX or LEGACY_S3_BUCKET, and gives the credentials what manage.py bucket policy "
        "prints then; or LEGACY_FOLDER, and mounts it where workers run. It is tried again for two days.",
    ),
    "storage_untrusted": ProblemType(
        "Storage not trusted",
        "The storage's certificate is not trusted by this service, or what answers at its address does not speak TLS.",
        "The operator looks at S3_ENDPOINT, at the certificate, and at AWS_CA_BUNDLE.",
    ),
    "bucket_missing": ProblemType(
        "No bucket",
        "The storage has no bucket of the name in S3_BUCKET.",
        "The operator corrects the setting, or runs manage.py bucket setup.",
    ),
    "bucket_error": ProblemType(
        "Bucket cannot be set up",
        "The storage refused a step of manage.py bucket.",
        "The operator reads the detail: it names the step and the storage's answer.",
    ),
    "not_adoptable": ProblemType(
        "Object not imported",
        "manage.py import_originals found an object that it does not take, and left it as it is.",
        "The operator reads the detail: it says what is wrong with the object, and its key.",
    ),
    "bad_rights_file": ProblemType(
        "File of rights not used",
        "manage.py import_originals was given a file of rights that it cannot read. Nothing was imported.",
        "The operator corrects the file: the detail says what is wrong with it.",
    ),
    "backup_unusable": ProblemType(
        "Backup cannot be used",
        "manage.py backup or restore found something else where the backup is, or should go.",
        "The operator reads the detail: it says what was found.",
    ),
    "storage_full": ProblemType(
        "Storage full",
        "The disk of the storage has less room left than MIN_FREE_DISK_MB. Nothing was stored.",
        f"{_LATER} The operator makes room.",
    ),
    "key_being_deleted": ProblemType(
        "File is being removed",
        "An old file of the same name is just being deleted; the new one waits for that.",
        _RETRY_JOB,
    ),
    "workspace_unavailable": ProblemType(
        "Worker's files away",
        "A worker cannot write or read its temporary files. It waits until it can, and the job waits with it.",
        f"{_RETRY_JOB} The operator looks at the permissions of GALLIMG_DATA.",
    ),
    "disk_full": ProblemType(
        "Worker's disk full", "A worker has no room left for temporary files.", f"{_RETRY_JOB} The operator makes room."
    ),
    "reads_not_configured": ProblemType(
        "Reading not configured",
        "This server may write to the storage and not read from it, so it can give out no originals.",
        "The operator sets S3_READ_ACCESS_KEY_ID and S3_READ_SECRET_ACCESS_KEY.",
    ),
    "object_missing": ProblemType(
        "Stored file missing",
        "The database names a file that the storage does not have.",
        "Upload the picture again. The operator looks whether somebody cleaned up the bucket by hand.",
    ),
    "original_changed": ProblemType(
        "Stored original differs",
        "The checksum of the stored original is not that of the upload. It is not used.",
        "The operator restores the file from a backup, or the picture is uploaded again.",
    ),
    "nats_unavailable": ProblemType(
        "NATS away",
        "NATS does not answer. Nothing is lost: what is to be told is in the database, and is told when it is back.",
        "Nothing is to be done by callers. The operator looks at NATS_URI and its server.",
    ),
    "queue_unavailable": ProblemType(
        "Queue away",
        "Redis does not answer. Nothing is lost: workers look into the database by themselves, a little later.",
        "Wait. The operator sees to Redis.",
    ),
    "decoder_failed": ProblemType(
        "Decoder failed", "The decoder gave up on this picture, or gave an answer that makes no sense.", _RETRY_JOB
    ),
    "decoder_killed": ProblemType(
        "Decoder killed",
        "The decoder was killed from outside, usually by the kernel for lack of memory.",
        _RETRY_JOB,
    ),
    "comparing_not_installed": ProblemType(
        "Comparing not installed",
        "To compare our pictures with a site's own takes scikit-image, which this installation does not have.",
        "The operator installs requirements-shadow.txt (an image of the container: --build-arg REQUIREMENTS=-shadow).",
    ),
    "render_timeout": ProblemType(
        "Rendering took too long",
        "The picture was not finished within RENDER_TIMEOUT_S, on the lane for large pictures three times that.",
        f"{_RETRY_JOB} A smaller picture helps, and so does a preset without AVIF of high effort.",
    ),
    "privacy_leak": ProblemType(
        "Privacy scan failed",
        "A finished derivative carried more than pixels and rights, so it was not stored. This is a fault of the "
        "service.",
        "Tell the operator; the original is kept, and the job can be retried with a newer version.",
    ),
    "lease_lost": ProblemType(
        "Job given to another worker", "A worker was too slow, and another one does its job.", "Nothing: wait."
    ),
    "worker_stopping": ProblemType(
        "Worker stopping", "The worker was told to stop, and another one does its job.", "Nothing: wait."
    ),
    "task_lease_lost": ProblemType(
        "Housekeeping given to another worker",
        "A worker was too slow with a task of housekeeping, and another one does it.",
        "Nothing: wait.",
    ),
    "not_all_repaired": ProblemType(
        "Housekeeping incomplete", "Some files could not be deleted and stay for the next time.", _OPERATOR
    ),
    "foreign_storage": ProblemType(
        "Storage of another database",
        "Most of the stored files belong to no row of this database, so housekeeping touches none.",
        "The operator checks DATABASE_URL and S3_BUCKET; after a restore, whether it was whole.",
    ),
}
