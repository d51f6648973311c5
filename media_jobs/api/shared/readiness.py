"""How callers learn that a job is done, the same in all APIs: entity tags, Retry-After, and answers that wait."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.idempotency import REPLAYED
from media_jobs.api.shared.parking import OF_THE_BODY, later
from media_jobs.errors import BadWait
from media_jobs.models import Job
from media_jobs.services.idempotency import Answer
from media_jobs.services.waiting.waits import is_over

#: Raised when what is said of a job is said in another way: all tags change.
WIRE_VERSION = 1
LONGEST_WAIT_S = 30
#: The longest that a client is asked to wait before it looks again.
_LONGEST_RETRY_S = 60
#: An answer belongs to one caller, and a cache asks each time whether it still holds.
_CACHE = "private, no-cache"
#: A guess of the moment, which no tag stands for; Retry-After has the latest.
_GUESSED = frozenset({"estimatedTime"})


def wait_s(request: Request) -> int:
    """How long the caller would wait: the parameter `wait`, 0 without it. Raises BadWait."""
    text: str = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= LONGEST_WAIT_S):
        raise BadWait(longest_s=LONGEST_WAIT_S)
    return int(text)


def retry_after(estimated_ms: int) -> str:
    """Whole seconds, for the header."""
    return str(min(max(1, -(-estimated_ms // 1000)), _LONGEST_RETRY_S))


def tagged(request: Request, answer: Response, version: str = "") -> Response:
    """The answer with its strong tag; without its body, as 304, where the caller has it already.

    version: by what it is known when it changes, such as a job's last event. The body counts as well: progress makes no
    event, and derivatives change with a later job.
    """
    lasting = _lasting(answer.data)
    digest = hashlib.sha256(json.dumps(lasting, sort_keys=True, default=str).encode()).hexdigest()
    tag = f'"{WIRE_VERSION}-{version}-{digest[:16]}"'
    if _is_known(request, tag):
        kept = {name: value for name, value in answer.items() if name.lower() not in OF_THE_BODY}
        # That of the body which is left out, or else Django says that it is empty.
        length = len(JSONRenderer().render(answer.data))
        answer = Response(status=304, headers={**kept, "Content-Length": str(length)})
    answer.headers["ETag"] = tag
    answer.headers.setdefault("Cache-Control", _CACHE)
    return answer


def status_of(
    view: APIView, request: Request, find: Callable[[], Job], show: Callable[[Job], Response]
) -> HttpResponseBase:
    """The answer of a status URL.

    With `wait` it comes once the job is over, or, where If-None-Match names what is known, once something has happened
    to it; after so many seconds at the latest. find: the job as it is now; raises Http404. show: the API's words for
    it.
    """

    def look(job: Job) -> Response:
        return tagged(request, show(job), version=str(job.last_event))

    for_s, job = wait_s(request), find()
    answer = look(job)
    is_known = answer.status_code == 304
    if not for_s or is_over(job.state) or ("If-None-Match" in request.headers and not is_known):
        return answer
    known = job.last_event if is_known else None
    return later(view, request, job.pk, lambda: look(find()), known=known, wait_s=for_s) or answer


def accepted(
    view: APIView, request: Request, answer: Answer, *, location: str, show: Callable[[Job], Any]
) -> HttpResponseBase:
    """A 202 that says where and when to look; with `wait` a 200 with the job, where it is over by then.

    location: of its status. show: what the API's status says of it.
    """
    job_id = UUID(str(answer.body["jobId"]))
    headers = {"Location": location, "Cache-Control": "no-store", **(REPLAYED if answer.replayed else {})}

    def look() -> Response:
        job = selectors.job(job_id, caller_of(request)) if for_s else None
        if job and is_over(job.state):
            return Response(show(job), headers=headers)
        when = retry_after(answer.body["estimatedTime"])
        return Response(answer.body, status=answer.status, headers={**headers, "Retry-After": when})

    for_s = wait_s(request)
    return (for_s and later(view, request, job_id, look, wait_s=for_s)) or look()


def _lasting(body: Any) -> Any:
    if not isinstance(body, Mapping):
        return body
    return {name: value for name, value in body.items() if name not in _GUESSED}


def _is_known(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag. Proxies that compress make strong tags weak."""
    named = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in named or tag in {known.removeprefix("W/") for known in named}
