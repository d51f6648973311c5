"""The calls of the API."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, Unpack, cast

import httpx

from gallimg_client.calls import Calls, Credential
from gallimg_client.errors import JobFailed, ProblemError, StillProcessing, Unreachable, retry_after_s
from gallimg_client.events import Events
from gallimg_client.forms import File, Form, Progress
from gallimg_client.retries import Retries
from gallimg_client.words import Accepted, Deleted, Event, Image, ImageSummary, Job, Rights, UploadFields

#: The longest that the service waits with an answer.
_LONGEST_WAIT_S = 30
_JOB_LIMIT_S = 600.0
#: Before a job is asked for again, where the service does not say when.
_AGAIN_S = 2.0
#: A stream that breaks is taken up again; one that is refused for longer is done without.
_RESUMING = Retries(attempts=4, longest_s=2.0)


class Client:
    """A gallimg service at `base_url`, such as `https://images.example.org`. Threads may share one.

    credential: an API key or a token (JWT), or a function that returns a fresh one. user_id: for whom an API key that
    may acts. http: with a proxy or certificates of your own; it is not closed then.
    Each call raises ProblemError where the service refuses it, and Unreachable where no answer comes. What changes
    something is sent with an Idempotency-Key, so that it is done once however often it is tried.
    """

    def __init__(
        self,
        base_url: str,
        credential: Credential | None = None,
        *,
        user_id: str | None = None,
        retries: Retries | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        self._http, self._is_ours = http or httpx.Client(), http is None
        self._calls = Calls(
            base_url, credential=credential, user_id=user_id, retries=retries or Retries(), http=self._http
        )

    def close(self) -> None:
        if self._is_ours:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- uploads ----------------------------------------------------------------------------------

    def upload(
        self,
        file: File,
        *,
        name: str | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
        **fields: Unpack[UploadFields],
    ) -> Accepted:
        """Upload a picture: a path, its bytes, or a file opened for reading bytes, which is read from where it stands.

        It is streamed, 64 KB at a time. progress: called with the bytes that were sent so far and their number; it
        begins again at 0 when the upload is tried again. A file that cannot be rewound is tried once.
        idempotency_key: so that a program that was started anew uploads the same picture once.
        """
        return cast(Accepted, self._uploaded(file, name, progress, idempotency_key, fields, wait_s=0))

    def process(
        self,
        file: File,
        *,
        name: str | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
        timeout_s: float = _JOB_LIMIT_S,
        **fields: Unpack[UploadFields],
    ) -> Job:
        """Upload a picture and return its job once it is done. As `upload`; raises JobFailed, StillProcessing."""
        wait_s = max(0, min(_LONGEST_WAIT_S, int(timeout_s)))
        began = time.monotonic()
        answer = self._uploaded(file, name, progress, idempotency_key, fields, wait_s=wait_s)
        if "status" in answer:
            return _done(answer)
        return self.wait(answer["jobId"], timeout_s=timeout_s - (time.monotonic() - began))

    def _uploaded(
        self,
        file: File,
        name: str | None,
        progress: Progress | None,
        key: str | None,
        fields: UploadFields,
        *,
        wait_s: int,
    ) -> Any:
        with Form(file, name=name, fields=cast(dict[str, object], fields), progress=progress) as form:
            return self._calls.json("POST", "/v1/images", form=form, once=True, key=key, wait_s=wait_s)

    # --- jobs -------------------------------------------------------------------------------------

    def job(self, job_id: str) -> Job:
        """Return how far a job is, and what came of it."""
        return cast(Job, self._calls.json("GET", f"/v1/jobs/{job_id}"))

    def wait(
        self, job_id: str, *, timeout_s: float = _JOB_LIMIT_S, on_event: Callable[[Event], object] | None = None
    ) -> Job:
        """Return the job once it is done. Raises JobFailed where it ends in an error, StillProcessing after timeout_s.

        The service is asked for an answer that waits. Where `on_event` wants to hear of each step, a stream is followed
        instead, as long as there is one to be had. A service that is being restarted meanwhile is waited for, too.
        """
        until = time.monotonic() + timeout_s
        job = self._follow(job_id, until, on_event) if on_event else None
        while job is None:
            left_s = max(0.0, until - time.monotonic())
            job = self._ask(job_id, left_s)
            if job is None and not left_s:
                raise StillProcessing(job_id, timeout_s)
        return _done(job)

    def events(self, *job_ids: str, last_id: str = "") -> Events:
        """Follow jobs: those that are named, at most a hundred, or all of the caller's.

        last_id: of an earlier reader, to go on where that one has stopped; without it the events from now on.
        """
        return Events(self._calls, job_ids, last_id=last_id)

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that is not over."""
        return cast(Job, self._calls.json("DELETE", f"/v1/jobs/{job_id}"))

    def retry(self, job_id: str) -> Accepted:
        """Queue a failed or cancelled job again."""
        return cast(Accepted, self._calls.json("POST", f"/v1/jobs/{job_id}/retry", once=True))

    def ticket(self) -> str:
        """Return a ticket with which a browser's EventSource connects once, within a minute: `/v1/events?ticket=…`."""
        return str(self._calls.json("POST", "/v1/events/ticket")["ticket"])

    def _follow(self, job_id: str, until: float, on_event: Callable[[Event], object]) -> Job | None:
        """The job once a stream has told of its end; None where that has to be found out in another way."""
        with Events(self._calls, [job_id], retries=_RESUMING) as events:
            told = events.with_heartbeats()
            while until - time.monotonic() > _LONGEST_WAIT_S:  # an answer comes in time, a sign of life may not
                try:
                    event = next(told)
                except (ProblemError, Unreachable):
                    break
                if event is not None:
                    on_event(event)
                # The first sign of life comes when the stream has begun: the job may have been over by then.
                if event is None or event["status"] != "processing":
                    job = self.job(job_id)
                    if job["status"] != "processing":
                        return job
        return None

    def _ask(self, job_id: str, left_s: float) -> Job | None:
        """The job, if it is over within `left_s` or so. None when it makes sense to ask again."""
        asked, wait_s = time.monotonic(), min(_LONGEST_WAIT_S, int(left_s))
        pause_s = _AGAIN_S
        try:
            response = self._calls.send("GET", f"/v1/jobs/{job_id}", wait_s=wait_s)
        except (ProblemError, Unreachable) as error:
            if not left_s or not error.passes:
                raise
        else:
            job: Job = response.json()
            if job["status"] != "processing":
                return job
            if wait_s and time.monotonic() - asked > wait_s - 1:
                return None
            pause_s = retry_after_s(response) or _AGAIN_S  # there was no room to wait, or no time
        time.sleep(min(pause_s, left_s))
        return None

    # --- images -----------------------------------------------------------------------------------

    def image(self, image_id: str) -> Image:
        """Return all that is known of an image."""
        return cast(Image, self._calls.json("GET", f"/v1/images/{image_id}"))

    def images(
        self,
        *,
        status: Literal["processing", "done", "error", "deleted"] | None = None,
        tags: Sequence[str] = (),
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        sha256: str | None = None,
        page_size: int = 50,
    ) -> Iterator[ImageSummary]:
        """Yield the caller's own images, newest first, asking page by page. tags: those that have all of them."""
        wanted = {
            "status": status,
            "tag": list(tags),
            "createdAfter": _moment(created_after),
            "createdBefore": _moment(created_before),
            "sha256": sha256,
            "limit": page_size,
        }
        asked = {name: value for name, value in wanted.items() if value is not None}
        while True:
            page = self._calls.json("GET", "/v1/images", params=asked)
            yield from page["images"]
            if page["nextCursor"] is None:
                return
            asked["cursor"] = page["nextCursor"]

    def change(self, image_id: str, *, tags: Sequence[str] | None = None, rights: Rights | None = None) -> Image:
        """Change an image's tags, all of them at once, and its rights; what is not named stays."""
        changes = {"tags": None if tags is None else list(tags), "rights": rights}
        sent = {name: value for name, value in changes.items() if value is not None}
        return cast(Image, self._calls.json("PATCH", f"/v1/images/{image_id}", json=sent))

    def delete(self, image_id: str) -> Deleted:
        """Delete an image: its derivatives at once, the original after `restorableUntil`."""
        return cast(Deleted, self._calls.json("DELETE", f"/v1/images/{image_id}"))

    def restore(self, image_id: str) -> Accepted:
        """Bring a deleted image back. Its derivatives are made anew by the job that is returned."""
        return cast(Accepted, self._calls.json("POST", f"/v1/images/{image_id}/restore", once=True))


def _done(job: Job) -> Job:
    if job["status"] == "error":
        raise JobFailed(job)
    return job


def _moment(when: datetime | str | None) -> str | None:
    return when.isoformat() if isinstance(when, datetime) else when
