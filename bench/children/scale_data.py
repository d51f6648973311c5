"""Fills a PostgreSQL database with jobs as years of uploads would have left them, in minutes."""

import sys
import time
from collections.abc import Mapping

from django.db import connection, models, transaction
from django.utils import timezone

from media_jobs.adapters import metric_triggers
from media_jobs.models import Derivative, Job, JobEvent, MetricEntry
from media_jobs.services.jobs import transitions
from media_jobs.states import DerivativeState, JobState, Stage
from tests.factories import make_derivative, make_job, make_original

_CHUNK = 100_000
#: One job in so many of the waiting ones is somebody else's than the one who sent most.
_OTHERS = 20
_RENDITIONS = {"full": 2048, "medium": 1024, "small": 512, "thumb": 200}
_DERIVED_SHARE = 5
#: One job came every 30 seconds, the last of a million some weeks ago.
_EPOCH_S = int(time.time()) - 400 * 86_400


def fill(
    *, done: int, queued: int, derived_share: int = _DERIVED_SHARE, sides_px: Mapping[str, int] = _RENDITIONS
) -> None:
    """`done` finished jobs, older than the `queued` waiting ones, with their originals and two events each.

    One finished one in `derived_share`, those that came last, has derivatives of `sides_px`, by their name. Rows are
    copies of rows that the service itself made, so that they have all columns; foreign keys are right, and not checked.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        if done:
            _finished(done, derived_share, sides_px)
        if queued:
            _waiting(done + 1, done + queued)
    metric_triggers.remove()
    MetricEntry.objects.all().delete()
    metric_triggers.install()  # they have seen nothing of it, and count it now
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def job_id(number: int) -> str:
    """Return the id, as SQL, of the job that came as number so many, from 1 on."""
    return _uuid("job", str(number))


def _finished(count: int, derived_share: int, sides_px: Mapping[str, int]) -> None:
    job = make_job(make_original(b"\xff\xd8\xff" + bytes(200_000), stored=False))
    derivatives = [make_derivative(job, name, width_px=side, height_px=side) for name, side in sides_px.items()]
    Derivative.objects.filter(job=job).update(state=DerivativeState.CURRENT)
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        state=JobState.DONE, stage=Stage.FINISHED, progress=100, attempt=1, worker="host-1-2345", last_event=2,
        started_at=now, finished_at=now, render_ms=180, cpu_ms=170, peak_memory_bytes=60_000_000, duration_ms=250,
        receipt={"found": ["EXIF Make", "EXIF Model"], "kept": ["EXIF Model"], "dropped": ["EXIF Make"], "outputs": {}},
    )  # fmt: skip
    transitions.record(job.pk, "done", actor="host-1-2345")
    _copy(job, 1, count, owner="'anonymous'", position="0")
    for derivative in derivatives:
        derived = {"original_id": _uuid("original"), "job_id": _uuid("job"), **_times("created_at")}
        key = f"'{derivative.rendition}/' || md5('{derivative.rendition}' || n) || '.jpg'"
        ids = {"id": _uuid(derivative.rendition), "key": key}
        _insert(derivative, count - count // derived_share + 1, count, **ids, **derived)
    job.original.delete()


def _waiting(first: int, last: int) -> None:
    """One owner's jobs, and among them those of five hundred others, at the positions that intake gives."""
    job = make_job(make_original(stored=False))
    is_other = f"n % {_OTHERS} = 0"
    owner = f"CASE WHEN {is_other} THEN 'key:' || (n / {_OTHERS} % 500) ELSE 'anonymous' END"
    position = f"CASE WHEN {is_other} THEN (n - {first}) / {_OTHERS} / 500 ELSE n - {first} END"
    _copy(job, first, last, owner=owner, position=position)
    job.original.delete()


def _copy(template: Job, first: int, last: int, *, owner: str, position: str) -> None:
    key = f"'originals/' || {_uuid('original')} || '.jpg'"
    digest = "md5('a' || n) || md5('b' || n)"
    original = {"id": _uuid("original"), "owner": owner, "key": key, "sha256": digest, **_times("created_at")}
    job = {"id": _uuid("job"), "original_id": _uuid("original"), "owner": owner, "queue_position": position}
    times = ["created_at", "not_before"] + (["started_at", "finished_at"] if template.state != JobState.QUEUED else [])
    _insert(template.original, first, last, **original)
    _insert(Job.objects.get(pk=template.pk), first, last, **job, **_times(*times))
    for event in JobEvent.objects.filter(job=template):
        _insert(event, first, last, job_id=_uuid("job"), **_times("at"))


def _insert(template: models.Model, first: int, last: int, **expressions: str) -> None:
    """Copies of `template`, one for each n from first to last. expressions: columns that differ, in SQL."""
    meta = template._meta
    columns = [str(field.column) for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    values = ", ".join(expressions.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    assert meta.pk
    for begin in range(first, last + 1, _CHUNK):
        end = min(begin + _CHUNK - 1, last)
        source = (
            f'"{meta.db_table}" t, generate_series({begin}, {end}) n WHERE t."{meta.pk.column}" = \'{template.pk}\''
        )
        with connection.cursor() as cursor:
            cursor.execute(f'INSERT INTO "{meta.db_table}" ({names}) SELECT {values} FROM {source}')
        if last - first >= _CHUNK:
            print(f"{meta.verbose_name}: {end:,}", file=sys.stderr)


def _uuid(kind: str, number: str = "n") -> str:
    """A UUID of version 7, of the moment at which job n came."""
    digest = f"md5('{kind}' || {number})"
    moment = f"lpad(to_hex((1000::bigint * ({_EPOCH_S} + {number} * 30))), 12, '0')"
    return f"({moment} || '7' || substr({digest}, 1, 3) || '8' || substr({digest}, 4, 15))::uuid"


def _times(*columns: str) -> dict[str, str]:
    return dict.fromkeys(columns, f"to_timestamp({_EPOCH_S} + n * 30)")
