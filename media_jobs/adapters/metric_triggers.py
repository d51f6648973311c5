"""Triggers: what `/metrics` tells is counted in the transaction that changes a job, an original or a derivative.

Whoever changes them and how, it counts. A text that is changed here needs a migration that drops the old one.
"""

# ruff: noqa: S608  (all that is put into the texts stands in this module)

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection, transaction

from media_jobs.adapters import triggers
from media_jobs.adapters.triggers import Trigger
from media_jobs.states import DURATION_BUCKETS_MS, Metric

_JOB, _ORIGINAL, _DERIVATIVE, _LEDGER = (
    f"media_jobs_{name}" for name in ("job", "original", "derivative", "metricentry")
)
#: Django's model that they write into; without it there is nothing to install.
MODEL = "metricentry"

_FINAL = "('done', 'failed', 'cancelled')"
_STORED = "{row}.state IN ('active', 'deleted') AND {row}.size_bytes > 0"
_KIND = "CASE {row}.state WHEN 'current' THEN 'derivative' ELSE 'replaced' END"
_KEPT = "{row}.state <> 'pending'"
_COLUMNS = "metric, label, le_ms, count_more, sum_more"
_MOVED = "OLD.state <> NEW.state"
_BUCKET = f"CASE {' '.join(f'WHEN ms <= {bound} THEN {bound}' for bound in DURATION_BUCKETS_MS)} END"


class _Table(NamedTuple):
    """What is counted of one table: by triggers, and by one query over what is there when they are made."""

    name: str
    metrics: tuple[Metric, ...]
    triggers: dict[str, Trigger]
    there: str


def install() -> None:
    """Make the triggers that are not there; of a table that has not been counted yet, count what is there.

    Nobody writes to a table in between, and no two tables are held at once. Called after each migration.
    """
    for table in _tables(connection.vendor):
        missing = triggers.missing(table.triggers)
        if not missing:
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")
            triggers.create(missing)
            known = ", ".join(f"'{metric}'" for metric in table.metrics)
            uncounted = f"NOT EXISTS (SELECT 1 FROM {_LEDGER} WHERE metric IN ({known}))"
            cursor.execute(
                f"INSERT INTO {_LEDGER} ({_COLUMNS}) SELECT * FROM ({table.there}) AS found WHERE {uncounted}"
            )


def remove() -> None:
    """Remove all that are there."""
    triggers.drop(name for table in _tables(connection.vendor) for name in table.triggers)


def _tables(vendor: str) -> Iterable[_Table]:
    jobs = (Metric.JOBS, Metric.JOB_DURATION, Metric.QUEUE_DEPTH)
    originals = (Metric.UPLOAD_BYTES,)
    return (
        _Table(_JOB, jobs, dict(_of_jobs(vendor)), _jobs_there(vendor)),
        _Table(_ORIGINAL, originals, dict(_of_originals()), _originals_there()),
        _Table(_DERIVATIVE, (Metric.DERIVATIVE_BYTES,), dict(_of_derivatives()), _derivatives_there()),
    )


def _add(metric: Metric, label: str, count: str, total: str, where: str) -> str:
    """A line of the ledger, where that holds. label, count, total: SQL."""
    return f"INSERT INTO {_LEDGER} ({_COLUMNS}) SELECT '{metric}', {label}, NULL, {count}, {total} WHERE {where};"


def _add_ms(metric: Metric, label: str, ms: str, where: str) -> str:
    """A duration."""
    taken = f"(SELECT {ms} AS ms) AS taken"
    return (
        f"INSERT INTO {_LEDGER} ({_COLUMNS}) SELECT '{metric}', {label}, {_BUCKET}, 1, ms FROM {taken} WHERE {where};"
    )


def _ms_between(vendor: str, begin: str, end: str) -> str:
    """Null where one of both is."""
    if vendor == "postgresql":
        ms = f"CAST(EXTRACT(EPOCH FROM ({end} - {begin})) * 1000 AS bigint)"
    else:
        ms = f"CAST(ROUND((julianday({end}) - julianday({begin})) * 86400000) AS integer)"
    return f"CASE WHEN {end} < {begin} THEN 0 ELSE {ms} END"


def _of_jobs(vendor: str) -> Iterable[tuple[str, Trigger]]:
    def queued(row: str, sign: str) -> str:
        return _add(Metric.QUEUE_DEPTH, f"{row}.lane", f"{sign}1", "0", f"{row}.state = 'queued'")

    changed = f"({_MOVED} OR OLD.lane <> NEW.lane) AND 'queued' IN (OLD.state, NEW.state)"
    duration, wait = (
        _ms_between(vendor, f"NEW.{begin}", f"NEW.{end}")
        for begin, end in (("started_at", "finished_at"), ("not_before", "started_at"))
    )
    ended = _add(Metric.JOBS, "NEW.state", "1", "0", "1 = 1")
    worked = "OLD.state = 'processing' AND NEW.state <> 'cancelled' AND ms IS NOT NULL"
    stages = {"fetching": "NEW.fetch_ms", "rendering": "NEW.render_ms", "storing": "NEW.store_ms"}
    took = " ".join(_add_ms(Metric.STAGE_DURATION, f"'{name}'", ms, "ms IS NOT NULL") for name, ms in stages.items())
    moved = f"UPDATE OF state ON {_JOB}"
    yield "media_jobs_metrics_job_new", (f"INSERT ON {_JOB}", "NEW.state = 'queued'", queued("NEW", "+"))
    yield "media_jobs_metrics_job_gone", (f"DELETE ON {_JOB}", "OLD.state = 'queued'", queued("OLD", "-"))
    yield (
        "media_jobs_metrics_job_queued",
        (f"UPDATE OF state, lane ON {_JOB}", changed, f"{queued('OLD', '-')} {queued('NEW', '+')}"),
    )
    yield (
        "media_jobs_metrics_job_claimed",
        (
            moved,
            "OLD.state = 'queued' AND NEW.state = 'processing'",
            _add_ms(Metric.JOB_WAIT, "''", wait, "ms IS NOT NULL"),
        ),
    )
    yield (
        "media_jobs_metrics_job_ended",
        (
            moved,
            f"{_MOVED} AND NEW.state IN {_FINAL}",
            f"{ended} {_add_ms(Metric.JOB_DURATION, chr(39) * 2, duration, worked)}",
        ),
    )
    yield "media_jobs_metrics_job_done", (moved, "OLD.state = 'processing' AND NEW.state = 'done'", took)


def _jobs_there(vendor: str) -> str:
    took = _ms_between(vendor, "started_at", "finished_at")
    return f"""
        SELECT '{Metric.JOBS}', state, CAST(NULL AS integer), COUNT(*), 0 FROM {_JOB} WHERE state IN {_FINAL}
        GROUP BY state
        UNION ALL
        SELECT '{Metric.QUEUE_DEPTH}', lane, NULL, COUNT(*), 0 FROM {_JOB} WHERE state = 'queued' GROUP BY lane
        UNION ALL
        SELECT '{Metric.JOB_DURATION}', '', le_ms, COUNT(*), SUM(ms)
        FROM (
            SELECT ms, {_BUCKET} AS le_ms
            FROM (
                SELECT {took} AS ms FROM {_JOB}
                WHERE state IN ('done', 'failed') AND started_at IS NOT NULL AND finished_at IS NOT NULL
            ) AS taken
        ) AS durations GROUP BY le_ms
    """


def _of_originals() -> Iterable[tuple[str, Trigger]]:
    def stored(row: str, sign: str) -> str:
        there = _STORED.format(row=row)
        return _add(Metric.STORAGE, "'original'", f"{sign}1", f"{sign}{row}.size_bytes", there)

    def uploaded(where: str) -> str:
        return _add(Metric.UPLOAD_BYTES, "''", "1", "NEW.size_bytes", f"NEW.imported_from = '' AND {where}")

    changed = f"{_MOVED} OR OLD.size_bytes <> NEW.size_bytes"
    came = uploaded("NEW.state = 'active'")
    promoted = uploaded("NEW.state = 'active' AND OLD.state = 'staged'")
    yield "media_jobs_metrics_original_new", (f"INSERT ON {_ORIGINAL}", "", f"{stored('NEW', '+')} {came}")
    yield (
        "media_jobs_metrics_original_changed",
        (
            f"UPDATE OF state, size_bytes ON {_ORIGINAL}",
            changed,
            f"{stored('OLD', '-')} {stored('NEW', '+')} {promoted}",
        ),
    )
    yield "media_jobs_metrics_original_gone", (f"DELETE ON {_ORIGINAL}", "", stored("OLD", "-"))


def _originals_there() -> str:
    stored = _STORED.format(row="o")
    return f"""
        SELECT '{Metric.STORAGE}', 'original', CAST(NULL AS integer), COUNT(*), COALESCE(SUM(size_bytes), 0)
        FROM {_ORIGINAL} o WHERE {stored}
        UNION ALL
        SELECT '{Metric.UPLOAD_BYTES}', '', NULL, COUNT(*), COALESCE(SUM(size_bytes), 0)
        FROM {_ORIGINAL} WHERE state = 'active' AND imported_from = ''
    """


def _of_derivatives() -> Iterable[tuple[str, Trigger]]:
    def stored(row: str, sign: str) -> str:
        kind, there = _KIND.format(row=row), _KEPT.format(row=row)
        return _add(Metric.STORAGE, kind, f"{sign}1", f"{sign}{row}.size_bytes", there)

    made = _add(Metric.DERIVATIVE_BYTES, "''", "1", "NEW.size_bytes", "OLD.state = 'pending' AND NEW.state = 'current'")
    yield "media_jobs_metrics_derivative_new", (f"INSERT ON {_DERIVATIVE}", "", stored("NEW", "+"))
    yield (
        "media_jobs_metrics_derivative_changed",
        (f"UPDATE OF state ON {_DERIVATIVE}", _MOVED, f"{stored('OLD', '-')} {stored('NEW', '+')} {made}"),
    )
    yield "media_jobs_metrics_derivative_gone", (f"DELETE ON {_DERIVATIVE}", "", stored("OLD", "-"))


def _derivatives_there() -> str:
    kind, kept = _KIND.format(row="d"), _KEPT.format(row="d")
    return f"""
        SELECT '{Metric.STORAGE}', kind, CAST(NULL AS integer), COUNT(*), SUM(size_bytes)
        FROM (SELECT {kind} AS kind, size_bytes FROM {_DERIVATIVE} d WHERE {kept}) AS kept GROUP BY kind
        UNION ALL
        SELECT '{Metric.DERIVATIVE_BYTES}', '', NULL, COUNT(*), COALESCE(SUM(size_bytes), 0)
        FROM {_DERIVATIVE} WHERE state <> 'pending'
    """
