"""What must hold of a service at rest, read from its tables, its files and its queue without asking it."""

import fcntl
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.world.harness import World

_TERMINAL = ("done", "failed", "cancelled")


def violations(world: "World") -> list[str]:
    """Everything that is wrong, one line each; at most a dozen of a kind. After housekeeping."""
    found: list[str] = []
    for check in _CHECKS:
        wrong = list(check(world))
        found += [f"{check.__name__.strip('_')}: {line}" for line in wrong[:12]]
        if len(wrong) > 12:
            found.append(f"{check.__name__.strip('_')}: … {len(wrong)} in all")
    return found


def _accepted_job_has_ended(world: "World") -> Iterator[str]:
    jobs = world.jobs()
    for job_id in world.accepted:
        if job_id not in jobs:
            yield f"{job_id} was accepted and is not there"
    for job_id, job in jobs.items():
        if job["state"] not in _TERMINAL:
            yield f"{job_id} is {job['state']}"
        if job["lease_until"] is not None:
            yield f"{job_id} has ended and holds a lease"


def _done_is_complete(world: "World") -> Iterator[str]:
    made = defaultdict(set)
    for row in world.query("SELECT original_id, rendition FROM media_jobs_derivative WHERE state = 'current'"):
        made[row["original_id"]].add(row["rendition"])
    for job_id, job in world.jobs().items():
        missing = set(job["wanted"]) - made[job["original_id"]]
        if job["state"] == "done" and missing:
            yield f"{job_id} lacks {', '.join(sorted(missing))}"


def _object_is_what_its_row_says(world: "World") -> Iterator[str]:
    """Every row its object, byte for byte, and every object its row."""
    rows: dict[str, dict[str, Any]] = {}
    for table in ("original", "derivative"):
        for row in world.query(f"SELECT id, key, state, sha256, size_bytes FROM media_jobs_{table}"):
            rows[row["key"]] = row
            if row["state"] not in ("active", "current", "replaced"):
                yield f"{table} {row['id']} is {row['state']}"
    stored = world.objects.keys()
    for key in sorted(rows.keys() - stored):
        yield f"{key} is not there, and {rows[key]['id']} names it"
    for key in sorted(stored - rows.keys()):
        yield f"{key} is there, and no row names it"
    for name in sorted(world.objects.unfinished()):
        yield f"{name} was begun and never ended"
    for key in sorted(rows.keys() & stored):
        content, row = world.objects.read(key), rows[key]
        if (hashlib.sha256(content).hexdigest(), len(content)) != (row["sha256"], row["size_bytes"]):
            yield f"{key} has other bytes than its row says"


def _original_has_a_job(world: "World") -> Iterator[str]:
    without = "SELECT id FROM media_jobs_original WHERE id NOT IN (SELECT original_id FROM media_jobs_job)"
    for row in world.query(without):
        yield f"{row['id']}"


def _no_upkeep_is_left(world: "World") -> Iterator[str]:
    for row in world.query("SELECT key, deleting FROM media_jobs_tombstone"):
        yield f"tombstone of {row['key']}{' (deleting)' if row['deleting'] else ''}"
    for row in world.query("SELECT name, worker FROM media_jobs_maintenancetask WHERE lease_until > now()"):
        if not world.lives(row["worker"]):  # a living one has begun it again
            yield f"{row['name']} is held by {row['worker']}, who is gone"


def _no_temporary_file_is_left(world: "World") -> Iterator[str]:
    for work in world.work_folders:
        for path in _files(work):
            if path.name != "lock" and path.suffix != ".lock":
                yield f"{path}"
        for folder in work.glob("*/"):
            if (folder / "lock").exists() and not _is_held(folder / "lock"):
                yield f"{folder.name} belongs to no living process"
    for temporary in world.temporary_folders:
        for path in _files(temporary):
            yield f"{path}"


def _events_count_without_gaps(world: "World") -> Iterator[str]:
    numbers = defaultdict(list)
    for event in world.history():
        numbers[str(event["job_id"])].append(event["number"])
    for job_id, job in world.jobs().items():
        if numbers[job_id] != list(range(1, job["last_event"] + 1)):
            yield f"{job_id} has {numbers[job_id]}, and its last event is {job['last_event']}"


def _job_ended_once(world: "World") -> Iterator[str]:
    ends = Counter(str(event["job_id"]) for event in world.history() if event["type"] == "done")
    for job_id, count in ends.items():
        if count > 1:
            yield f"{job_id} is done {count} times"


def _queue_is_empty(world: "World") -> Iterator[str]:
    with world.redis() as client:
        for name in client.scan_iter("rq:queue:*", _type="list"):
            if length := client.llen(name):
                yield f"{name.decode()} holds {length}"


def _metrics_are_what_the_tables_say(world: "World") -> Iterator[str]:
    sums = world.query(
        "SELECT metric, label, SUM(count_more) AS count, SUM(sum_more) AS size "
        "FROM media_jobs_metricentry GROUP BY metric, label"
    )
    kept = {(row["metric"], row["label"]): (int(row["count"]), int(row["size"])) for row in sums}
    ends = Counter(event["type"] for event in world.history() if event["type"] in _TERMINAL)
    counted = {label: count for (metric, label), (count, _) in kept.items() if metric == "jobs"}
    if counted != ends:
        yield f"{counted} ends of jobs are counted, and the histories say {dict(ends)}"
    waiting = sum(count for (metric, _), (count, _) in kept.items() if metric == "queue_depth")
    queued = sum(job["state"] == "queued" for job in world.jobs().values())
    if waiting != queued:
        yield f"{waiting} jobs are counted as waiting, and {queued} wait"
    stored = "SELECT COUNT(*) AS count, COALESCE(SUM(size_bytes), 0) AS size FROM media_jobs_"
    for kind, rows in (("original", "original"), ("derivative", "derivative WHERE state = 'current'")):
        [row] = world.query(stored + rows)
        said, there = kept.get(("storage", kind), (0, 0)), (int(row["count"]), int(row["size"]))
        if said != there:
            yield f"{said} {kind}s and their bytes are counted, and {there} are there"


_CHECKS: list[Callable[["World"], Iterator[str]]] = [
    _accepted_job_has_ended,
    _done_is_complete,
    _object_is_what_its_row_says,
    _original_has_a_job,
    _no_upkeep_is_left,
    _no_temporary_file_is_left,
    _events_count_without_gaps,
    _job_ended_once,
    _queue_is_empty,
    _metrics_are_what_the_tables_say,
]


def _files(folder: Path) -> Iterator[Path]:
    """Regular files in there, those of unfinished writes too."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _is_held(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
