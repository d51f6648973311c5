"""What tests ask of the client: a picture's job once it is over, whatever came of it."""

from collections.abc import Callable
from typing import Any

import httpx
from gallimg_client import Client, Job, JobFailed

#: A job that is not over by then never will be: several times the longest time limit of a render.
JOB_LIMIT_S = 240.0


def upload(base_url: str, content: bytes, *, name: str = "gall.jpg", **fields: str) -> httpx.Response:
    """The answer itself, of one attempt."""
    return httpx.post(f"{base_url}/v1/images", files={"file": (name, content)}, data=fields, timeout=60)


def wait(base_url: str, job_id: str) -> Job:
    """The job once it is `done` or `error`; a web process that is being restarted is waited for."""
    with Client(base_url) as gallimg:
        return _whatever_came_of_it(lambda: gallimg.wait(job_id, timeout_s=JOB_LIMIT_S))


def process(base_url: str, content: bytes, *, name: str = "gall.jpg", **fields: Any) -> Job:
    """Upload and wait."""
    with Client(base_url) as gallimg:
        return _whatever_came_of_it(lambda: gallimg.process(content, name=name, timeout_s=JOB_LIMIT_S, **fields))


def _whatever_came_of_it(call: Callable[[], Job]) -> Job:
    try:
        return call()
    except JobFailed as failed:
        return failed.job
