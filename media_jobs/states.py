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
    JobState.DONE: frozenset(),
}


def may_become(target: JobState) -> list[JobState]:
    """The states from which `target` may be reached: what a conditional update filters on."""
    return [state for state, targets in MOVES.items() if target in targets]


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
    TEST = "webhook.test"  #: asked for by a person; never to be subscribed to


#: The types of job events that are told, and the name of each. What else a history says is of no use elsewhere.
TOLD: dict[str, WebhookEvent] = {
    "queued": WebhookEvent.QUEUED,
    "claimed": WebhookEvent.STARTED,
    "done": WebhookEvent.DONE,
    "failed": WebhookEvent.FAILED,
    "cancelled": WebhookEvent.CANCELLED,
    "retried": WebhookEvent.RETRIED,
}
#: What a webhook gets that asks for nothing in particular: how jobs end.
TOLD_BY_DEFAULT = (WebhookEvent.DONE, WebhookEvent.FAILED, WebhookEvent.CANCELLED)


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
