"""The words for where things stand, and which moves are allowed."""

from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "queued"  #: waits in the table; RQ may or may not know of it
    PROCESSING = "processing"  #: a worker holds its lease
    DONE = "done"  #: every wanted derivative exists
    FAILED = "failed"  #: gave up; the code says whose fault it was
    CANCELLED = "cancelled"


MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.PROCESSING, JobState.CANCELLED}),
    # Back to QUEUED: the lease ran out, or a retry is due.
    JobState.PROCESSING: frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED}),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
    JobState.DONE: frozenset({JobState.QUEUED}),  # its derivatives are gone from the storage
}


def may_become(target: JobState) -> list[JobState]:
    """The states from which `target` may be reached: what a conditional update filters on."""
    return [state for state, targets in MOVES.items() if target in targets]


class Triage(StrEnum):
    """What a person has decided about a failure."""

    NEW = ""  #: nothing yet: it counts
    SEEN = "seen"  #: somebody looks after it
    GIVEN_UP = "given_up"  #: it stays as it is, for the reason beside it


class OriginalState(StrEnum):
    STAGED = "staged"  #: its bytes wait under `uploads/`; the worker of its first job checks and stores them
    ACTIVE = "active"  #: stored, whole, hashed
    DELETED = "deleted"  #: given up; housekeeping removes its object, then the row


class DerivativeState(StrEnum):
    PENDING = "pending"  #: its object is being written; the row names it should the worker die
    CURRENT = "current"
    REPLACED = "replaced"  #: a newer one took its place; kept for a while for caches


class Stage(StrEnum):
    """What a worker is doing with a job."""

    WAITING = "waiting"
    FETCHING = "fetching"
    RENDERING = "rendering"
    STORING = "storing"
    FINISHED = "finished"


class Lane(StrEnum):
    """Queues by urgency, in the order in which a worker looks at them."""

    INTERACTIVE = "interactive"  #: somebody waits for it
    BULK = "bulk"  #: reprocessing
    HEAVY = "heavy"  #: needs much memory


class DeliveryState(StrEnum):
    """How far one event is on its way to one webhook."""

    PENDING = "pending"  #: sent when its time has come, again and again until it is taken
    DELIVERED = "delivered"  #: the receiver answered 2xx
    FAILED = "failed"  #: given up; a replay makes it pending again


class WebhookEvent(StrEnum):
    """What webhooks can be told of, by the name that they get."""

    QUEUED = "job.queued"
    STARTED = "job.started"
    DONE = "job.done"
    FAILED = "job.failed"
    CANCELLED = "job.cancelled"
    RETRIED = "job.retried"
    REPORTED = "job.reported"  #: a curator tells the uploader what to do about a failure
    FLAG_FELL_BACK = "flag.fell_back"  #: the guard of a feature flag switched it to 0 %
    TEST = "webhook.test"  #: asked for by a person; never to be subscribed to


#: The types of job events that are told, and the name of each. What else a history says is of no use elsewhere.
TOLD: dict[str, WebhookEvent] = {
    "queued": WebhookEvent.QUEUED,
    "claimed": WebhookEvent.STARTED,
    "done": WebhookEvent.DONE,
    "failed": WebhookEvent.FAILED,
    "cancelled": WebhookEvent.CANCELLED,
    "retried": WebhookEvent.RETRIED,
    "reported": WebhookEvent.REPORTED,
}
#: What a webhook gets that asks for nothing in particular: how jobs end.
TOLD_BY_DEFAULT = (WebhookEvent.DONE, WebhookEvent.FAILED, WebhookEvent.CANCELLED)


class RunState(StrEnum):
    """How far a reprocess run is."""

    DRAFT = "draft"  #: described and estimated; nothing happens before somebody confirms it
    RUNNING = "running"
    PAUSING = "pausing"  #: begins nothing more; what is in work ends
    PAUSED = "paused"  #: by a person, or by itself: then `code` says why, and a person decides
    INTERRUPTED = "interrupted"  #: the command that worked on it is gone
    CANCELLING = "cancelling"  #: as pausing; then what is left is skipped
    CANCELLED = "cancelled"
    FINISHED = "finished"  #: every image of it is done, skipped or failed
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ACCEPTED = "accepted"  #: what it replaced is not needed any more


RUN_MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.DRAFT: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.PAUSING, RunState.INTERRUPTED, RunState.CANCELLING, RunState.FINISHED}),
    RunState.PAUSING: frozenset({RunState.PAUSED, RunState.RUNNING, RunState.CANCELLING}),
    RunState.PAUSED: frozenset({RunState.RUNNING, RunState.CANCELLING}),
    RunState.INTERRUPTED: frozenset({RunState.RUNNING, RunState.CANCELLING}),
    RunState.CANCELLING: frozenset({RunState.CANCELLED}),
    RunState.CANCELLED: frozenset({RunState.ROLLING_BACK, RunState.ACCEPTED}),
    RunState.FINISHED: frozenset({RunState.ROLLING_BACK, RunState.ACCEPTED}),
    RunState.ROLLING_BACK: frozenset({RunState.ROLLED_BACK}),
    RunState.ROLLED_BACK: frozenset(),
    RunState.ACCEPTED: frozenset(),
}
#: A run in these is worked on, now or when it goes on: what it replaced is kept.
OPEN_RUNS = frozenset(RunState) - {RunState.DRAFT, RunState.ROLLED_BACK, RunState.ACCEPTED}


def run_may_become(target: RunState) -> list[RunState]:
    """The states from which a run may get to `target`."""
    return [state for state, targets in RUN_MOVES.items() if target in targets]


class RunItemState(StrEnum):
    """What became of one image of a run."""

    TODO = "todo"
    WORKING = "working"  #: it has a job that is not over
    DONE = "done"
    SKIPPED = "skipped"  #: nothing was to be done, or nothing may be: the code says why
    FAILED = "failed"  #: the job gave up; the code is its own
    ROLLED_BACK = "rolled_back"  #: as it was before the run


class RunBy(StrEnum):
    """Who does the work of a run."""

    WORKERS = "workers"  #: those of the service, in the lane `bulk`
    COMMAND = "command"  #: the processes of `manage.py reprocess --workers`


class Staleness(StrEnum):
    """Why a run would make another file than the one that is there."""

    RECIPE = "recipe"  #: the preset's current version says something else of this rendition
    ENGINE = "engine"  #: another version of the imaging engine made it
    OVERRIDES = "overrides"  #: rotation or focal point were changed
    RIGHTS = "rights"  #: the rights that are embedded were changed


class BulkKind(StrEnum):
    """What is done to many pictures at once."""

    RETRY = "retry"
    CANCEL = "cancel"
    TAG = "tag"
    RIGHTS = "rights"
    DELETE = "delete"
    RESTORE = "restore"
    REDO = "redo"  #: becomes a reprocess run when it is confirmed


class BulkState(StrEnum):
    """How far it is with what is done to many pictures."""

    DRAFT = "draft"  #: the set is chosen and shown; nothing happens before somebody confirms it
    RUNNING = "running"
    STOPPED = "stopped"  #: by a person; what is done stays done
    FINISHED = "finished"


class BulkItemState(StrEnum):
    """What became of one picture of it."""

    TODO = "todo"
    DONE = "done"
    SKIPPED = "skipped"  #: there was nothing to do
    FAILED = "failed"


class PreviewState(StrEnum):
    """How far the preview of a preset is."""

    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class InstructionStatus(StrEnum):
    """Where the files of an instruction stand together; the database derives it from their counts."""

    PENDING = "pending"  #: nothing of it was begun, or it has no file yet
    PROCESSING = "processing"  #: something was begun, and something is left
    DONE = "done"  #: every file is done
    FAILED = "failed"  #: all is over, and at least one file failed or was cancelled


class StoredKind(StrEnum):
    """What a stored object is, for the statistics."""

    ORIGINAL = "original"
    DERIVATIVE = "derivative"
    REPLACED = "replaced"  #: a former derivative, kept for a while for caches


class ShadowState(StrEnum):
    """How far a shadow is: a picture of a live site that is made here, too."""

    FETCHING = "fetching"  #: a worker is to fetch the site's original, by its key
    RENDERING = "rendering"  #: its job makes ours
    DUE = "due"  #: ours are there, or the job has failed: it is to be compared
    COMPARED = "compared"
    FAILED = "failed"  #: it cannot be compared: the code says why


class Metric(StrEnum):
    """What the database counts for `/metrics`, in lines of `MetricEntry`."""

    JOBS = "jobs"  #: ends of jobs; label: the state that they came to
    JOB_DURATION = "job_duration"  #: from a worker's claim to the end
    JOB_WAIT = "job_wait"  #: from when a job could have been done to a worker's claim
    STAGE_DURATION = "stage_duration"  #: label: the stage
    UPLOAD_BYTES = "upload_bytes"
    DERIVATIVE_BYTES = "derivative_bytes"
    SANDBOX_RESTARTS = "sandbox_restarts"  #: label: `SandboxEnd`
    QUEUE_DEPTH = "queue_depth"  #: goes up and down; label: the lane
    STORAGE = "storage"  #: goes up and down; label: `StoredKind`


#: Upper bounds of the buckets in which durations are counted. One that is added here needs new triggers; those that are
#: there stay, or what was counted before is in none.
DURATION_BUCKETS_MS = (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000)


class SandboxEnd(StrEnum):
    """Why a decoder was replaced by a new one."""

    WORN = "worn"  #: it has done its share of work, or grown
    CRASHED = "crashed"
    KILLED = "killed"  #: from outside, perhaps for lack of memory
    TIMEOUT = "timeout"
    MEMORY = "memory"  #: the picture needed more than it may have
    FAILED = "failed"  #: it did not start, or answered what makes no sense
    INTERRUPTED = "interrupted"  #: the job was cancelled, lost or handed back
