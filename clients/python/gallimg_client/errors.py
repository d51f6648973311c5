"""What can go wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from gallimg_client.words import Job

#: A line that is too slow; too many requests; and what is away for a while: the service, a part of it, or what stands
#: before it.
_PASSING = frozenset({408, 429, 502, 503, 504})


class GallimgError(Exception):
    """Whatever goes wrong between this client and the service. passes: whether the same request may go well later."""

    passes = False
    retry_after_s: float | None = None


class ProblemError(GallimgError):
    """The service refuses a request, by a problem document (RFC 9457).

    code: for programs; it never changes. detail: a sentence for people. document: all members. retry_after_s: in how
    many seconds the same request may go well, where the service says so.
    """

    def __init__(self, status: int, document: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status, self.document, self.retry_after_s = status, document, retry_after_s
        self.code = str(document.get("code", ""))
        self.detail = str(document.get("detail", ""))
        super().__init__(f"{self.detail} ({self.code or 'no code'}, HTTP {status})")

    @property
    def passes(self) -> bool:  # type: ignore[override]
        """The service itself says when to come again wherever that helps; a proxy may not."""
        return self.status in _PASSING and (self.retry_after_s is not None or not self.code)


class JobFailed(GallimgError):
    """A job has ended in an error. code, detail: why; `cancelled` where somebody did not want it any more."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.code, self.detail = job.get("code", ""), job.get("detail", "")
        super().__init__(f"{self.detail} ({self.code})")


class StillProcessing(GallimgError, TimeoutError):
    """A job is not over, and whoever waits for it has waited long enough. It goes on, and can be waited for again."""

    def __init__(self, job_id: str, waited_s: float) -> None:
        self.job_id = job_id
        super().__init__(f"Job {job_id} is not over after {waited_s:g} s.")


class Unreachable(GallimgError):
    """No answer came, however often it was tried; `__cause__` is what httpx says."""

    passes = True


def problem(response: httpx.Response) -> ProblemError:
    """Return what an answer says is wrong. One that is no problem document, such as a proxy's page, has no code."""
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {"detail": f"The answer was “{response.status_code} {response.reason_phrase}”."}
    return ProblemError(response.status_code, document, retry_after_s(response))


def retry_after_s(response: httpx.Response) -> float | None:
    """Return in how many seconds to come again, as the header says it: a number, or, from some proxies, a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
