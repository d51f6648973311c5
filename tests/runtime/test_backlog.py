"""Wake-ups that wait for long, come twice or come for nothing leave no error and no failed job behind."""

from collections import Counter

import pytest
from rq.registry import FailedJobRegistry
from structlog.testing import capture_logs

from media_jobs.adapters import queue
from media_jobs.models import Job, JobEvent
from media_jobs.runtime.workers.rq_worker import ResilientWorker
from media_jobs.services.jobs import dispatch
from media_jobs.services.jobs import worker as workers
from media_jobs.states import JobState, Lane
from tests import images
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = 30


def test_a_backlog_is_worked_off_once_and_in_silence(valkey, caplog):
    original = make_original(images.jpeg(64, 48))
    jobs = [make_job(original) for _ in range(JOBS)]
    queue.enqueue_wakeups(Lane.INTERACTIVE, JOBS, at_most=JOBS)
    for _ in range(3):  # as other hosts do, all the while they wait
        dispatch.top_up()
    queue.enqueue_wakeups(Lane.INTERACTIVE, 2 * JOBS, at_most=3 * JOBS)  # and were they delivered again and again
    worker, queues = workers.current(), queue.worker_queues()

    def stop_at_the_end() -> None:
        if not any(queue.lengths().values()):
            rq_worker.stop()

    rq_worker = ResilientWorker(
        queues,
        between_jobs=stop_at_the_end,
        next_queues=lambda: [queue.name_of(lane) for lane in worker.next_lanes()],
        connection=queues[0].connection,
        serializer=queues[0].serializer,
        name=worker.id,
    )
    with capture_logs() as logs:
        rq_worker.work(logging_level="WARNING")
    claims = Counter(JobEvent.objects.filter(type="claimed").values_list("job_id", flat=True))
    assert claims == {job.pk: 1 for job in jobs}
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.DONE}
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    for rq_queue in queues:
        assert FailedJobRegistry(queue=rq_queue).count == 0
