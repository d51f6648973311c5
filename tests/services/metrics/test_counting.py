"""What `/metrics` tells is what the tables say, never falls, and costs the same however much there is."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import Sum
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from bench.plans import whole_tables
from media_jobs.adapters import database, metric_triggers
from media_jobs.callers import SYSTEM
from media_jobs.models import Derivative, Job, MetricEntry, Original, WorkerProcess
from media_jobs.services import housekeeping, metrics
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.services.images import deletion
from media_jobs.services.jobs import lifecycle
from media_jobs.services.jobs import worker as workers
from media_jobs.services.metrics import ledger, presence
from media_jobs.states import DerivativeState, JobState, Lane, Metric, OriginalState, SandboxEnd
from tests import working
from tests.factories import make_derivative, make_failed_job, make_job, make_original
from tests.images import jpeg
from tests.measuring.metrics import Samples, fallen, parse
from tests.services.transactions import uncommitted

pytestmark = pytest.mark.django_db


def scrape() -> Samples:
    return parse(metrics.all_metrics().decode())


def add_up() -> None:
    housekeeping.run(only=[task_named("metrics")])


def gauges_are_what_the_tables_say(now: Samples) -> bool:
    waiting = Counter(Job.objects.filter(state=JobState.QUEUED).values_list("lane", flat=True))
    originals = Original.objects.filter(state__in=[OriginalState.ACTIVE, OriginalState.DELETED], size_bytes__gt=0)
    kinds = {DerivativeState.CURRENT: "derivative", DerivativeState.REPLACED: "replaced"}
    stored = {kind: Derivative.objects.filter(state=state) for state, kind in kinds.items()}
    return all(
        (
            {lane: now[f'queue_depth{{lane="{lane}"}}'] for lane in Lane} == {lane: waiting[lane] for lane in Lane},
            now['storage_objects{kind="original"}'] == originals.count(),
            now['storage_bytes{kind="original"}'] == (originals.aggregate(n=Sum("size_bytes"))["n"] or 0),
            *(now[f'storage_objects{{kind="{kind}"}}'] == rows.count() for kind, rows in stored.items()),
            *(
                now[f'storage_bytes{{kind="{kind}"}}'] == (rows.aggregate(n=Sum("size_bytes"))["n"] or 0)
                for kind, rows in stored.items()
            ),
        )
    )


def test_a_picture_is_counted_once_from_its_upload_to_its_end():
    picture = jpeg()
    job = make_job(make_original(picture))
    waiting = scrape()
    working.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE
    now = scrape()
    made = Derivative.objects.aggregate(n=Sum("size_bytes"))["n"]
    assert waiting['queue_depth{lane="interactive"}'] == 1
    assert now["upload_bytes_total"] == waiting["upload_bytes_total"] == len(picture)
    assert (now['jobs_total{status="done"}'], now["derivative_bytes_total"]) == (1, made)
    assert job.started_at
    assert job.finished_at
    took_s = (job.finished_at - job.started_at).total_seconds()
    assert now["job_duration_seconds_count"] == now['job_duration_seconds_bucket{le="+Inf"}'] == 1
    assert now["job_duration_seconds_sum"] == pytest.approx(took_s, abs=0.002)
    assert now["job_wait_seconds_count"] == 1
    assert now["job_wait_seconds_sum"] == pytest.approx((job.started_at - job.not_before).total_seconds(), abs=0.002)
    stages = {"fetching": job.fetch_ms or 0, "rendering": job.render_ms or 0, "storing": job.store_ms or 0}
    for stage, ms in stages.items():
        assert now[f'stage_duration_seconds_sum{{stage="{stage}"}}'] == ms / 1000
        assert now[f'stage_duration_seconds_count{{stage="{stage}"}}'] == 1
    assert sum(stages.values()) <= (job.duration_ms or 0)
    assert gauges_are_what_the_tables_say(now)


def test_buckets_hold_what_took_as_long_and_less():
    for seconds in (0.05, 0.4, 12, 90_000):
        job = make_job(state=JobState.PROCESSING, worker="a", lease_until=Now())
        Job.objects.filter(pk=job.pk).update(started_at=job.created_at)
        ended = job.created_at + timedelta(seconds=seconds)
        Job.objects.filter(pk=job.pk).update(state=JobState.DONE, finished_at=ended)
    now = scrape()
    buckets = {
        bound: now[f'job_duration_seconds_bucket{{le="{bound}"}}'] for bound in ("0.05", "0.5", "30.0", "3600.0")
    }
    assert buckets == {"0.05": 1, "0.5": 2, "30.0": 3, "3600.0": 3}
    assert (now["job_duration_seconds_count"], now["job_duration_seconds_sum"]) == (4, 90_012.45)


def test_counters_never_fall_and_gauges_are_true_whatever_is_done():
    failed = [make_job(make_original(stored=False, size_bytes=10)) for _ in range(3)]
    for job in failed:
        working.claim(job.pk, "gone")
        Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, code="undecodable", finished_at=Now())
    kept = make_job()
    make_derivative(kept, state=DerivativeState.CURRENT)
    seen = scrape()
    assert seen['jobs_total{status="failed"}'] == 3

    def nothing_fell() -> Samples:
        nonlocal seen
        before, seen = seen, scrape()
        assert fallen(before, seen) == {}
        assert gauges_are_what_the_tables_say(seen)
        return seen

    lifecycle.retry_all(Job.objects.filter(state=JobState.FAILED), actor=SYSTEM, into=Lane.BULK)
    assert nothing_fell()['queue_depth{lane="bulk"}'] == 3
    lifecycle.cancel_all(Job.objects.filter(lane=Lane.BULK), actor=SYSTEM)
    assert nothing_fell()['jobs_total{status="cancelled"}'] == 3
    lifecycle.retry_all(Job.objects.filter(state=JobState.CANCELLED), actor=SYSTEM)
    nothing_fell()
    deletion.delete(kept.original_id, actor=SYSTEM)
    nothing_fell()
    add_up()
    nothing_fell()
    Derivative.objects.all().delete()
    Job.objects.all().delete()
    Original.objects.all().delete()
    now = nothing_fell()
    assert (now['jobs_total{status="failed"}'], now['queue_depth{lane="bulk"}']) == (3, 0)
    add_up()
    nothing_fell()


def test_what_was_imported_is_no_upload():
    make_original(stored=False, size_bytes=70, imported_from="old/1.jpg")
    direct = make_original(stored=False, state=OriginalState.STAGED, size_bytes=5, sha256="")
    assert scrape()["upload_bytes_total"] == 0
    Original.objects.filter(pk=direct.pk).update(state=OriginalState.ACTIVE, sha256="0" * 64)
    now = scrape()
    assert (now["upload_bytes_total"], now['storage_bytes{kind="original"}']) == (5, 75)


def test_many_lines_become_few_and_say_the_same():
    for number in range(150):
        make_failed_job(original=make_original(stored=False, size_bytes=1 + number))
    before, lines = ledger.totals(), MetricEntry.objects.count()
    assert lines > 400
    add_up()
    assert MetricEntry.objects.count() < 20
    assert ledger.totals() == before


def test_triggers_that_are_made_anew_count_nothing_twice():
    """As on SQLite, where they go before a migration and come back after it."""
    make_derivative(make_failed_job(), state=DerivativeState.CURRENT)
    before = ledger.totals()
    metric_triggers.remove()
    metric_triggers.install()
    assert ledger.totals() == before
    make_job()
    assert ledger.totals()[Metric.QUEUE_DEPTH, Lane.INTERACTIVE, None] == (1, 0)


def line_of_another() -> AbstractContextManager[Callable[[], None]]:
    return uncommitted(lambda: ledger.add(Metric.SANDBOX_RESTARTS, [(SandboxEnd.KILLED, 1)]))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_line_that_is_committed_while_others_are_added_up_is_not_lost():
    ledger.add(Metric.SANDBOX_RESTARTS, [(SandboxEnd.KILLED, 1)])
    with line_of_another() as commit:
        ledger.add(Metric.SANDBOX_RESTARTS, [(SandboxEnd.KILLED, 1)])

        def commit_before_the_end(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("DELETE"):
                commit()
            return execute(sql, *rest)

        with connection.execute_wrapper(commit_before_the_end):
            assert ledger.add_up(upto=MetricEntry.objects.latest("pk").pk) == 1
    assert scrape()['sandbox_restarts_total{reason="killed"}'] == 3


def test_a_scrape_costs_a_fixed_number_of_statements_and_reads_no_table_of_jobs():
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            metrics.all_metrics()
        return len(queries)

    few = cost()
    for number in range(30):
        make_derivative(make_job(), content=str(number).encode(), state=DerivativeState.CURRENT)
        presence.report([working.named(f"host-{number}-a")])
    assert cost() == few <= 12
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # so small a table is read whole; what is asked is whether it must be
            cursor.execute("SET LOCAL enable_seqscan = off")
    read_whole = set().union(*whole_tables(metrics.all_metrics).values())
    assert not {name for name in read_whole if not name.endswith(("metricentry", "workerprocess"))}
    assert whole_tables(lambda: list(Job.objects.filter(detail="x")))  # … and this would be seen


def test_without_the_database_it_tells_what_it_can(monkeypatch):
    assert scrape()["database_up"] == 1

    def away(*_: object) -> None:
        raise OperationalError("could not connect to server at 10.0.0.7")

    monkeypatch.setattr(database, "in_a_hurry", away)
    now = scrape()
    assert now["database_up"] == 0
    assert "process_resident_memory_bytes" in now
    assert not {name for name in now if name.startswith(("jobs_total", "queue_depth", "worker_slots"))}


def test_workers_count_while_they_say_that_they_live():
    here = f'{{host="{presence.this_host()}"}}'
    assert (scrape()[f"worker_slots{here}"], scrape()[f"worker_busy{here}"]) == (0, 0)
    first, second = working.named("a-1-x"), working.named("a-2-x")
    for workers_there in ([first, second], [first]):
        presence.report(workers_there)
    working.claim(make_job().pk, first.id)
    working.claim(make_job().pk, "of a command that is no worker of the service")
    now = scrape()
    assert (now[f"worker_slots{here}"], now[f"worker_busy{here}"]) == (2, 1)
    presence.leave([first])
    WorkerProcess.objects.filter(name=second.id).update(seen_at=Now() - timedelta(seconds=presence.SILENT_AFTER_S + 1))
    now = scrape()
    assert (now[f"worker_slots{here}"], now[f"worker_busy{here}"]) == (0, 0)
    WorkerProcess.objects.update(seen_at=Now() - timedelta(days=2))
    assert (presence.forget_silent(), WorkerProcess.objects.count()) == (1, 0)


def test_restarts_of_the_decoder_are_counted_once():
    worker = workers.current()
    worker.restarts.update({SandboxEnd.KILLED: 2})
    presence.report_restarts(worker)
    presence.report_restarts(worker)
    worker.restarts[SandboxEnd.WORN] += 1
    presence.report_restarts(worker)
    now = scrape()
    assert {end: now[f'sandbox_restarts_total{{reason="{end}"}}'] for end in SandboxEnd} == {
        **dict.fromkeys(SandboxEnd, 0),
        SandboxEnd.KILLED: 2,
        SandboxEnd.WORN: 1,
    }


def test_the_oldest_job_is_the_one_that_could_have_been_done_longest_ago():
    assert scrape()['oldest_queued_seconds{lane="interactive"}'] == 0
    make_job(not_before=Now() - timedelta(seconds=100))
    make_job(not_before=Now() - timedelta(seconds=500))
    make_job(not_before=Now() + timedelta(seconds=500))
    make_job(not_before=Now() - timedelta(seconds=9000), lane=Lane.BULK)
    now = scrape()
    assert 500 <= now['oldest_queued_seconds{lane="interactive"}'] < 9000 <= now['oldest_queued_seconds{lane="bulk"}']
    assert now['oldest_queued_seconds{lane="heavy"}'] == 0
