"""The invariants notice what they are there for; else the other tests in here would prove nothing."""

import os
import re
import signal

import pytest

from tests.chaos.world.harness import World, photos, world
from tests.chaos.world.invariants import violations

_NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A world in which nothing bad has happened yet."""
    with world(tmp_path_factory.mktemp("quiet"), own_valkey=True) as quiet:
        quiet.send_all(photos(len(_DAMAGES) + 1))
        quiet.assert_all_done()
        quiet.assert_invariants()
        for pid in quiet.service.pids("worker"):  # or they would repair it
            os.kill(pid, signal.SIGSTOP)
        yield quiet


def some_object(quiet: World, prefix: str, nth: int):
    return sorted((quiet.data / "objects" / prefix).rglob("*.jpg"))[nth]


def execute(statement: str):
    """Do it to one job, the `nth`; each case has its own."""
    return lambda quiet, nth: quiet.query(f"{statement} RETURNING 1", sorted(quiet.accepted, reverse=True)[nth])


_OF_JOB = "WHERE original_id = (SELECT original_id FROM media_jobs_job WHERE id = %s)"
_DAMAGES = {
    "accepted and is not there": lambda quiet, nth: quiet.accepted.append(_NOBODY),
    "is queued": execute(
        "UPDATE media_jobs_job SET state = 'queued', not_before = now() + interval '1 hour' WHERE id = %s"
    ),
    "holds a lease": execute("UPDATE media_jobs_job SET lease_until = now() WHERE id = %s"),
    "lacks thumb": execute(f"DELETE FROM media_jobs_derivative {_OF_JOB} AND rendition = 'thumb'"),
    "no row names it": lambda quiet, nth: (quiet.data / "objects/full/stray.jpg").write_bytes(b"stray"),
    "is not there, and": lambda quiet, nth: some_object(quiet, "small", nth).unlink(),
    "other bytes": lambda quiet, nth: some_object(quiet, "medium", nth).write_bytes(b"other"),
    "derivative .* is pending": execute(
        f"UPDATE media_jobs_derivative SET state = 'pending' {_OF_JOB} AND rendition = 'full'"
    ),
    "unfinished": lambda quiet, nth: (quiet.data / "objects/.partial/unfinished").write_bytes(b"half"),
    "tombstone of": execute("INSERT INTO media_jobs_tombstone (key, deleting) VALUES (%s, true)"),
    "leases is held by": lambda quiet, nth: quiet.query(
        "INSERT INTO media_jobs_maintenancetask (name, worker, lease_until, repaired, duration_ms, error, progress) "
        "VALUES ('leases', 'host:4194304:x', now() + interval '1 hour', 0, 0, '', '{}') ON CONFLICT (name) DO UPDATE "
        "SET worker = excluded.worker, lease_until = excluded.lease_until RETURNING 1"
    ),
    "work/left": lambda quiet, nth: (quiet.data / "work/left").write_bytes(b"half"),
    "tmp/left": lambda quiet, nth: (quiet.data.parent / "tmp/left").write_bytes(b"half"),
    "last event is": execute("DELETE FROM media_jobs_jobevent WHERE job_id = %s AND number = 2"),
    "ends of jobs are counted": execute(
        "INSERT INTO media_jobs_metricentry (metric, label, count_more, sum_more) SELECT 'jobs', 'failed', 1, 0 "
        "FROM media_jobs_job WHERE id = %s"
    ),
    "done 2 times": execute("UPDATE media_jobs_jobevent SET type = 'done' WHERE job_id = %s AND number = 2"),
}


@pytest.mark.parametrize(("nth", "complaint"), list(enumerate(_DAMAGES)))
def test_an_invariant_notices(quiet, nth, complaint):
    _DAMAGES[complaint](quiet, nth)
    assert re.search(complaint, "\n".join(violations(quiet)))
