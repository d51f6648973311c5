"""Does what each row of the table names, by the services as their callers call them."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from media_jobs import errors, selectors
from media_jobs.adapters.storage.s3_writer import PART_BYTES
from media_jobs.callers import ANONYMOUS, staff
from media_jobs.models import Job, Shadow, Tombstone
from media_jobs.services import housekeeping
from media_jobs.services.cutover import holding, legacy
from media_jobs.services.cutover import working as shadow_work
from media_jobs.services.cutover.holding import TO_COMPARE, TO_FETCH, Choice
from media_jobs.services.idempotency import Answer
from media_jobs.services.jobs import lifecycle, outage
from media_jobs.services.jobs import worker as workers
from media_jobs.services.uploads import direct_uploads
from media_jobs.states import JobState, ShadowState
from tests import images, people, working
from tests.api.instructions.helpers import added, create
from tests.faults.injections import Fault, Injection
from tests.faults.matrix import OK, Doing
from tests.faults.messages import Operation
from tests.faults.proxy import FaultyProxy

PICTURE = images.jpeg(64, 48)
#: Two parts, the second of them smaller.
LARGE = PICTURE + bytes(PART_BYTES)  # two parts
#: What is an original with a job at last, by what was done.
KEPT = {
    Doing.UPLOAD: PICTURE,
    Doing.LARGE_UPLOAD: LARGE,
    Doing.JOB: PICTURE,
    Doing.FAILING_JOB: PICTURE,
    Doing.DIRECT_JOB: PICTURE,
    Doing.DOWNLOAD: PICTURE,
    Doing.FETCHED_SHADOW: PICTURE,
    Doing.COMPARED_SHADOW: PICTURE,
}
_OF_THE_STORAGE = [
    task
    for task in housekeeping.TASKS
    if task.name in {"uploads", "staging", "derivatives", "orphans", "tombstones", "writes"}
]


@dataclass
class Context:
    """What a scenario works on: the proxy that all stores of the product go through, and the bucket behind it."""

    proxy: FaultyProxy
    client: Any  #: of the server itself, with all rights
    bucket: str
    site: str  #: the bucket of a live site
    wanted: list[bytes] = field(default_factory=list)  #: pictures that were refused: they are sent again at last
    planted: set[str] = field(default_factory=set)  #: objects that no row has ever named


def prepare(context: Context, doing: Doing) -> Callable[[], str]:
    """Prepare while all is well. The function returned does the thing and says what came of it: "ok" or a code."""
    match doing:
        case Doing.UPLOAD | Doing.LARGE_UPLOAD:
            return lambda: upload(context, KEPT[doing])
        case Doing.REFUSED_UPLOAD:
            return _refused_upload
        case Doing.JOB:
            assert upload(context, PICTURE) == OK
            return run_jobs
        case Doing.FAILING_JOB:
            assert upload(context, PICTURE) == OK
            context.proxy.inject(Injection(Fault.SLOW_DOWN, Operation.PUT_OBJECT, "thumb/", times=None))
            return run_jobs
        case Doing.DIRECT_JOB:
            upload_directly(PICTURE)
            return run_jobs
        case Doing.FETCHED_SHADOW | Doing.COMPARED_SHADOW | Doing.REFUSED_SHADOW:
            return _prepare_shadow(context, doing)
        case Doing.HOUSEKEEPING:
            key = f"originals/{uuid4()}.jpg"
            context.planted.add(key)
            context.client.put_object(Bucket=context.bucket, Key=key, Body=b"nobody's")
            context.client.create_multipart_upload(Bucket=context.bucket, Key=key)
            return run_housekeeping
        case Doing.DOWNLOAD:
            caller = people.keyed()
            [detail] = added(caller, create(caller), PICTURE)
            assert run_jobs() == OK
            return lambda: _download(caller, f"{detail}/file?variant=original")
        case Doing.LOOKING:
            return lambda: outage.reason() or OK


def upload(context: Context, content: bytes) -> str:
    """What a client learns; a refused picture is to be sent again later."""
    answer = _post(content, preset="gallformers")
    if answer.status_code == 202:
        return OK
    context.wanted.append(content)
    assert answer.status_code == 503, answer.content
    assert int(answer.headers["Retry-After"]) > 0
    return str(answer.json()["code"])


def _refused_upload() -> str:
    answer = _post(LARGE, preset="no-such-preset")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_preset"), answer.content
    return OK


def _post(content: bytes, **fields: str) -> Any:
    return Client().post("/v1/images", {"file": SimpleUploadedFile("gall.jpg", content), **fields})


def _download(caller: Client, address: str) -> str:
    answer: Any = caller.get(address)
    if answer.status_code == 503:
        return str(answer.json()["errors"][0]["code"])
    assert answer.status_code == 200, answer.content
    content = b""
    try:
        for piece in answer:
            content += piece
    except errors.StorageUnavailable:
        assert len(content) < int(answer.headers["Content-Length"])
        return "broken off"
    assert len(content) == int(answer.headers["Content-Length"])
    if answer.headers["ETag"] != f'"{hashlib.sha256(content).hexdigest()}"':
        return "not what the ETag says"
    return OK


def upload_directly(content: bytes, *, tries: int = 1) -> None:
    """Past the web process, as a browser does it, and have a job for it, whatever became of the file."""
    opened = direct_uploads.begin(
        caller=ANONYMOUS,
        filename="gall.jpg",
        content_type="image/jpeg",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    for _ in range(tries):
        with suppress(httpx.TransportError):
            stored = httpx.post(
                opened.form.url, data=opened.form.fields, files={"file": ("gall.jpg", content, "image/jpeg")}
            )
            assert stored.status_code == 204, stored.text
    direct_uploads.accept(
        opened.upload.pk,
        preset=selectors.current_preset("gallformers"),
        caller=ANONYMOUS,
        build_answer=lambda accepted: Answer(202, {}),
    )


def time_passes() -> None:
    """Let so much time pass that who was deleting an object and has not finished counts as dead."""
    Tombstone.objects.update(created_at=timezone.now() - timedelta(hours=1))


def run_jobs() -> str:
    """One attempt at each job that waits, as if its time had come: the code with which one of them waits again.

    What has failed for good is queued again before, as a person would.
    """
    lifecycle.retry_all(Job.objects.filter(state=JobState.FAILED), actor=staff(1))
    codes = {OK}
    for job in Job.objects.filter(state=JobState.QUEUED):
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(seconds=1))
        working.run(job.pk)
        job.refresh_from_db()
        codes.add(f"failed: {job.code}" if job.state == JobState.FAILED else job.code or OK)
    (code,) = codes - {OK} or {OK}
    return code


def finish() -> str:
    """Once more what waits for a worker, whatever it is: the code with which some of it waits again."""
    codes = {_work_on_shadows(TO_FETCH), run_jobs(), _work_on_shadows(TO_COMPARE)}
    (code,) = codes - {OK} or {OK}
    return code


def _prepare_shadow(context: Context, doing: Doing) -> Callable[[], str]:
    _ask_for_shadow(context, b"no picture" if doing is Doing.REFUSED_SHADOW else PICTURE)
    if doing is not Doing.COMPARED_SHADOW:
        return lambda: _work_on_shadows(TO_FETCH)
    assert finish() == OK
    assert holding.note_ends() == 1
    return lambda: _work_on_shadows(TO_COMPARE)


def _ask_for_shadow(context: Context, content: bytes) -> None:
    """Of a picture that the site has in two sizes. They need not be good ones: any verdict will do."""
    key = f"gall/{uuid4()}_original.jpg"
    for name in (key, legacy.size_key(key, "small")):
        context.client.put_object(Bucket=context.site, Key=name, Body=content)
    Shadow.objects.create(legacy_key=key, owner=ANONYMOUS.id, state=ShadowState.FETCHING)


def _work_on_shadows(choice: Choice) -> str:
    """One attempt at each, as if its time had come: the code with which one of them waits again, or has failed."""
    codes = {OK}
    choice.waiting().update(due_at=timezone.now() - timedelta(seconds=1))
    while hold := holding.take(workers.current(), choice):
        shadow_work.work_on(hold)
        hold.shadow.refresh_from_db()
        codes.add(hold.shadow.code or OK)
    (code,) = codes - {OK} or {OK}
    return code


def run_housekeeping() -> str:
    """Everything in the storage that nobody wants goes at once; the code of what a part could not do."""
    for outcome in housekeeping.run(older_than=timedelta(0), only=_OF_THE_STORAGE):
        if outcome.error:
            return _code_in(outcome.error)
    return OK


def _code_in(sentence: str) -> str:
    """Return which of the storage's errors the sentence is about."""
    codes = {
        "refused our credentials": errors.StorageDenied.code,
        "the clock of this host": errors.StorageClockSkewed.code,
        "has no such bucket": errors.BucketMissing.code,
        "did not answer": errors.StorageUnavailable.code,
    }
    (code,) = {code for words, code in codes.items() if words in sentence} or {sentence}
    return code
