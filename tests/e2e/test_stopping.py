"""A worker that is told to stop in the middle of a picture hands it back, and another one does it."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import images
from tests.e2e.service import Service, is_alive, running, wait_until

pytestmark = pytest.mark.e2e

#: The signal to the worker, what it takes to hand back, and some for a slow machine.
LIMIT_S = 60  # 25 s are promised; a busy machine may be late, and one that hangs still fails


@contextmanager
def no_decoder_moves(service: Service, of: int) -> Iterator[None]:
    """Let each picture of the worker with process id `of` take very long."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(0.02):
            for child in children(of):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGSTOP)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
    return []


def test_a_job_in_hand_is_handed_back_in_time_and_done_by_another_worker(tmp_path_factory):
    data = tmp_path_factory.mktemp("stopping") / "data"
    with running(data, {"WORKERS": "1"}) as service:
        [worker] = service.pids("worker")
        with no_decoder_moves(service, worker):
            job_id = service.send(images.jpeg(800, 600))
            wait_until(lambda: children(worker), 60, "the job to begin")
            os.kill(worker, signal.SIGTERM)
            wait_until(lambda: not is_alive(worker), LIMIT_S, "the worker's end")
        assert service.finished(job_id)["status"] == "done"
        ask = (
            "from media_jobs.models import Job; job = Job.objects.get(); "
            "print(job.attempt, job.max_attempts, *job.events.values_list('type', flat=True))"
        )
        printed = service.manage("shell", "--no-imports", "-c", ask).split()
    assert printed[:2] == ["2", "4"]
    events = [event for event in printed[2:] if event != "stage"]
    assert events == ["queued", "claimed", "handed_back", "claimed", "done"]
