"""A worker that is told to stop in the middle of a picture hands it back, and another one does it."""

import os
import signal
import time

import pytest

from tests import images
from tests.chaos.dying.crashing import PROGRAM
from tests.e2e.held import held, holding
from tests.e2e.service import Service, family, is_alive, running, wait_until

pytestmark = pytest.mark.e2e

#: What is promised, from the signal to the worker's end.
LIMIT_S = 25
#: What comes sooner after a first signal is the same one, from somebody else.
ONE_SIGNAL_S = 1.5


def test_a_job_in_hand_is_handed_back_in_time_and_done_by_another_worker(tmp_path):
    faults = holding(tmp_path / "points")
    with running(tmp_path / "data", {"WORKERS": "1", **faults.env}, program=PROGRAM) as service:
        [worker] = service.pids("worker")
        job_id, _ = held(faults, lambda: service.send(images.jpeg(800, 600)))
        os.kill(worker, signal.SIGTERM)
        wait_until(lambda: not is_alive(worker), LIMIT_S, "the worker's end")
        assert service.finished(job_id)["status"] == "done"
        assert_was_handed_back(service)


def test_of_slots_in_the_web_process_a_second_signal_has_jobs_handed_back_at_once(tmp_path):
    faults = holding(tmp_path / "points", "web")
    settings = {"WORKERS": "1", "WORKERS_IN_WEB": "true", **faults.env}
    with running(tmp_path / "data", settings, program=PROGRAM) as service:
        [web] = service.pids("web")
        assert not [title for _, title in family(service.pid).values() if title.startswith("gallimg-worker")]
        job_id, _ = held(faults, lambda: service.send(images.jpeg(800, 600)))
        os.kill(web, signal.SIGTERM)
        wait_until(lambda: not service.is_ready(), LIMIT_S, "no more requests")
        time.sleep(ONE_SIGNAL_S)
        assert is_alive(web), "the job in hand has its time"
        os.kill(web, signal.SIGTERM)
        wait_until(lambda: not is_alive(web), LIMIT_S, "the end of the web process")
        wait_until(service.is_ready, 60, "another web process")
        assert service.finished(job_id)["status"] == "done"
        assert_was_handed_back(service)
        assert "Traceback" not in service.logs


def assert_was_handed_back(service: Service) -> None:
    """By the first who had its only job, without costing an attempt."""
    ask = (
        "from media_jobs.models import Job; job = Job.objects.get(); "
        "print(job.attempt, job.max_attempts, *job.events.values_list('type', flat=True))"
    )
    printed = service.manage("shell", "--no-imports", "-c", ask).split()
    assert printed[:2] == ["2", "4"]
    events = [event for event in printed[2:] if event != "stage"]
    assert events == ["queued", "claimed", "handed_back", "claimed", "done"]
