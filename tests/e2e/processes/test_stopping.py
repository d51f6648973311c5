"""A worker that is told to stop in the middle of a picture hands it back, and another one does it."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import images
from tests.e2e.service import Service, is_alive, running, wait_until

pytestmark = pytest.mark.e2e

#: What is promised, from the signal to the worker's end.
LIMIT_S = 25


@contextmanager
def no_decoder_moves(service: Service, of: int) -> Iterator[None]:
    """Let each picture of the worker with process id `of` take very long."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(0.02):
            for child in decoders(of):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGSTOP)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()


def decoders(worker: int) -> list[int]:
    """The process ids of the worker's children that run a decoder."""
    with contextlib.suppress(OSError):
        of_threads = Path(f"/proc/{worker}/task").glob("*/children")
        children = [pid for children in of_threads for pid in children.read_text().split()]
        return [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "gallimg-decoder"]
    return []


def test_a_job_in_hand_is_handed_back_in_time_and_done_by_another_worker(tmp_path_factory):
    data = tmp_path_factory.mktemp("stopping") / "data"
    with running(data, {"WORKERS": "1"}) as service:
        [worker] = service.pids("worker")
        with no_decoder_moves(service, worker):
            job_id = service.send(images.jpeg(800, 600))
            wait_until(lambda: decoders(worker), 60, "the job to begin")
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
