"""A backlog, and far more wake-ups than pictures, before two workers that take them at the same time."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.service import photo, running

pytestmark = pytest.mark.e2e

_JOBS = 40
_WAKE_AGAIN = """
from media_jobs.adapters import queue
from media_jobs.states import Lane
queue.enqueue_wakeups(Lane.INTERACTIVE, 200, at_most=200)
"""
_COUNT = """
import json
from collections import Counter
from rq.registry import FailedJobRegistry
from media_jobs.adapters import queue
from media_jobs.models import JobEvent
claims = Counter(JobEvent.objects.filter(type="claimed").values_list("job_id", flat=True))
failed = sum(FailedJobRegistry(queue=one).count for one in queue.worker_queues())
print(json.dumps([len(claims), max(claims.values()), failed]))
"""


def test_two_workers_work_off_a_backlog_once_and_in_silence(tmp_path: Path) -> None:
    with running(tmp_path / "data", {"WORKERS": "2"}) as service:
        with ThreadPoolExecutor(4) as pool:
            jobs = list(pool.map(service.send, (photo(200, 150) for _ in range(_JOBS))))
            service.manage("shell", "--no-imports", "-c", _WAKE_AGAIN)
        assert {service.finished(job)["status"] for job in jobs} == {"done"}
        counted = json.loads(service.manage("shell", "--no-imports", "-c", _COUNT).splitlines()[-1])
        assert counted == [_JOBS, 1, 0]
        assert "Traceback" not in service.logs
        assert '"level": "error"' not in service.logs
