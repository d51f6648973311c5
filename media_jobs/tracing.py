"""What brought something about: the trace that it is part of (W3C Trace Context), and the id of the request.

Both stand in every line of the log. A job keeps them in its row, so that they go with it from the web process to
whichever worker takes it, and on to NATS. `tracestate`, what others have added to the trace for themselves, goes the
same way; in the log it would be a stranger's text.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from structlog import contextvars

#: https://www.w3.org/TR/trace-context/#traceparent-header-field-values; later versions may have more behind it.
_HEADER = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?",
    re.ASCII,
)
#: Of what is to be recorded by whoever records traces: nobody has said.
_NOT_SAMPLED = "00"
#: So much of it has to be passed on; longer ones are dropped as a whole.
TRACESTATE_LENGTH = 512
_TRACESTATE = re.compile(rf"[ -~]{{0,{TRACESTATE_LENGTH}}}", re.ASCII)
_tracestate = ContextVar("tracestate", default="")


def parsed(traceparent: str) -> dict[str, str]:
    """Return `trace_id` and `trace_flags` of the header; nothing of one that is no such header."""
    found = _HEADER.fullmatch(traceparent.strip())
    if found is None or (found["version"] == "00" and found["more"]):
        return {}
    return {"trace_id": found["trace_id"], "trace_flags": found["flags"]}


def bind(traceparent: str, tracestate: str = "") -> None:
    """Have this thread's lines of the log belong to the trace that the header names, as a span of its own.

    Without such a header a trace begins here. tracestate: the header beside it, which is nothing without it.
    """
    begun, found = {"trace_id": secrets.token_hex(16), "trace_flags": _NOT_SAMPLED}, parsed(traceparent)
    contextvars.bind_contextvars(**(found or begun), span_id=secrets.token_hex(8))
    _tracestate.set(tracestate if found and _TRACESTATE.fullmatch(tracestate) else "")


def traceparent() -> str:
    """Return the header by which whatever is asked for now continues this thread's trace; empty where there is none."""
    bound = contextvars.get_contextvars()
    if "trace_id" not in bound:
        return ""
    return f"00-{bound['trace_id']}-{bound['span_id']}-{bound['trace_flags']}"


def tracestate() -> str:
    """Return what goes beside `traceparent`, as it came."""
    return _tracestate.get() if "trace_id" in contextvars.get_contextvars() else ""


def request_id() -> str:
    """Return the id of the request that is being answered; empty where none is."""
    return str(contextvars.get_contextvars().get("request_id", ""))


@contextmanager
def of_job(job_id: object, attempt: int, *, traceparent: str, tracestate: str = "", request_id: str) -> Iterator[None]:
    """Have all lines of the log say that they are of this attempt, also those of the decoder and of the storage."""
    said: dict[str, Any] = {"job": str(job_id), "attempt": attempt}
    if request_id:
        said["request_id"] = request_id
    with apart():
        contextvars.bind_contextvars(**said)
        if traceparent:
            bind(traceparent, tracestate)
        yield


@contextmanager
def of_message(traceparent: str, tracestate: str = "") -> Iterator[None]:
    """Have what a message brings about be part of its trace."""
    with apart():
        bind(traceparent, tracestate)
        yield


@contextmanager
def apart() -> Iterator[None]:
    """Have the lines of what is done in between say nothing of what was done before, and goes on afterwards."""
    kept = contextvars.get_contextvars()
    contextvars.clear_contextvars()
    beside = _tracestate.set("")
    try:
        yield
    finally:
        _tracestate.reset(beside)
        contextvars.clear_contextvars()
        contextvars.bind_contextvars(**kept)
