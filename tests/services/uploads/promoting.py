"""Direct uploads for tests, and workers that are held up or die in the middle of one."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.models import DirectUpload, Job
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping.tasks import LEASES
from media_jobs.services.idempotency import Answer
from media_jobs.services.uploads import direct_uploads, promotion
from media_jobs.services.uploads.direct_uploads import Opened
from media_jobs.states import JobState, OriginalState
from tests import images, working
from tests.forms import send
from tests.services.housekeeping.helpers import ago, do, objects

PHOTO, OTHER = images.jpeg(640, 480), images.jpeg(320, 240)


def begin(**announced: Any) -> Opened:
    given: dict[str, Any] = {"filename": "gall.jpg", "content_type": "image/jpeg", "size_bytes": None, "sha256": ""}
    return direct_uploads.begin(caller=ANONYMOUS, **(given | announced))


def accept(opened: Opened) -> Job:
    preset = selectors.current_preset("gallformers")
    answer = direct_uploads.accept(
        opened.upload.pk, preset=preset, caller=ANONYMOUS, build_answer=lambda a: Answer(202, {"job": str(a.job.pk)})
    )
    return Job.objects.get(pk=answer.body["job"])


def uploaded(content: bytes = PHOTO, **announced: Any) -> tuple[Opened, Job]:
    opened = begin(**announced)
    assert send(opened.form, content) == 204
    return opened, accept(opened)


def work(job: Job) -> Job:
    Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(not_before=ago(seconds=1))
    working.run(job.pk)
    return Job.objects.select_related("original").get(pk=job.pk)


def lose(job: Job) -> None:
    """Its worker is taken for dead."""
    Job.objects.filter(pk=job.pk).update(lease_until=ago(seconds=1))
    housekeeping.run(only=[LEASES], wait_s=10)


def stored(key: str, tmp_path: Path) -> bytes:
    store(Role.WORKER).fetch(key, tmp_path / "fetched")
    return (tmp_path / "fetched").read_bytes()


def assert_done(job: Job, content: bytes, tmp_path: Path) -> None:
    """The original is `content`, checked and stored; nothing is there that no row names."""
    job = Job.objects.select_related("original").get(pk=job.pk)
    assert (job.state, job.code) == (JobState.DONE, "")
    original = job.original
    assert (original.state, original.size_bytes) == (OriginalState.ACTIVE, len(content))
    assert original.sha256 == hashlib.sha256(content).hexdigest()
    assert stored(original.key, tmp_path) == content
    assert {key for key in objects() if not key.startswith("uploads/")} == {
        original.key,
        *original.derivatives.values_list("key", flat=True),
    }


def put(key: str, content: bytes) -> None:
    writer = store(Role.WORKER).begin(key, content_type="image/jpeg")
    writer.write(content)
    writer.commit()


def after(monkeypatch: pytest.MonkeyPatch, step: str, do: Callable[[], object]) -> None:
    """Something happens right after a step of the promotion, once."""
    real = getattr(promotion._Promotion, step)
    happened: list[bool] = []

    def then(self: promotion._Promotion, *args: Any) -> Any:
        result = real(self, *args)
        if not happened:
            happened.append(True)
            do()
        return result

    monkeypatch.setattr(promotion._Promotion, step, then)


class Dead(BaseException):
    """The process ends here."""


def die() -> None:
    raise Dead


def housekeep() -> None:
    """Do what housekeeping does after all waits are over."""
    DirectUpload.objects.update(created_at=ago(hours=3))
    do("staging")
