"""Faults of calls of S3, and the calls at which they are injected."""

from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.messages import Operation, Request


class Fault(StrEnum):
    # Answered by the proxy; the server never hears of it.
    SLOW_DOWN = "slow_down"
    INTERNAL_ERROR = "internal_error"
    DENIED = "denied"
    EXPIRED = "expired"
    SKEWED = "skewed"
    NO_BUCKET = "no_bucket"
    NO_UPLOAD = "no_upload"  #: somebody has ended the multipart upload
    # Of the network.
    RESET = "reset"  #: before the server has the request
    LOST = "lost"  #: the server has executed it, and its answer never arrives
    STALL = "stall"  #: the request is taken, and nothing comes back
    CUT_REQUEST = "cut_request"  #: the server gets the first half
    CUT_ANSWER = "cut_answer"  #: the client gets the first half
    HALF_ANSWER = "half_answer"  #: and waits for the other one
    DAMAGED_REQUEST = "damaged_request"  #: one byte of the body is another
    DAMAGED_ANSWER = "damaged_answer"


#: Status, code and sentence as S3 has them.
REFUSALS = {
    Fault.SLOW_DOWN: ("503 Slow Down", "SlowDown", "Please reduce your request rate."),
    Fault.INTERNAL_ERROR: ("500 Internal Server Error", "InternalError", "We encountered an internal error."),
    Fault.DENIED: ("403 Forbidden", "AccessDenied", "Access Denied"),
    Fault.EXPIRED: ("400 Bad Request", "ExpiredToken", "The provided token has expired."),
    Fault.SKEWED: (
        "403 Forbidden",
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    Fault.NO_BUCKET: ("404 Not Found", "NoSuchBucket", "The specified bucket does not exist"),
    Fault.NO_UPLOAD: ("404 Not Found", "NoSuchUpload", "The specified multipart upload does not exist."),
}


@dataclass(eq=False)
class Injection:
    """What happens to calls of `operation` under keys that begin with `prefix`: from the `nth` on, `times` of them.

    operation: None for all of them. times: None for all that follow.
    seen: matching calls so far. happened: how many of them were spoiled.
    """

    fault: Fault
    operation: Operation | None = None
    prefix: str = ""
    nth: int = 1
    times: int | None = 1
    seen: int = field(default=0, init=False)
    happened: int = field(default=0, init=False)

    def takes(self, request: Request) -> bool:
        if self.operation not in (None, request.operation) or not request.key.startswith(self.prefix):
            return False
        self.seen += 1
        if self.seen < self.nth or self.happened == self.times:
            return False
        self.happened += 1
        return True
