"""What processes of the service are called."""

import sys
import threading
from pathlib import Path

import pytest

from media_jobs.runtime.children import name_process


@pytest.mark.skipif(sys.platform != "linux", reason="names of processes are Linux'")
@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("gallimg", "gallimg"),
        ("gallimg-worker1", "gallimg-worker1"),
        ("gallimg-worker10", "gallimg-worke10"),
        ("gallimg-worker128", "gallimg-work128"),
    ],
)
def test_workers_are_told_apart_by_names_that_the_kernel_cuts(title: str, shown: str) -> None:
    found: list[str] = []

    def named() -> None:  # a thread has a name of its own
        name_process(title)
        found.append(Path("/proc/thread-self/comm").read_text().strip())

    thread = threading.Thread(target=named)
    thread.start()
    thread.join()
    assert found == [shown]
