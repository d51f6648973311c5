"""So many render at once among the processes that share the places, and no more."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from media_jobs.adapters.decoder.render_slots import RenderSlots
from media_jobs.ports import no_heartbeat
from tests.adapters.decoder.running import ROOT

HOLDER = """
import sys
from pathlib import Path
from media_jobs.adapters.decoder.render_slots import RenderSlots
with RenderSlots(Path(sys.argv[1]), int(sys.argv[2])).one(lambda: None):
    print("in", flush=True)
    sys.stdin.readline()
"""


class StopWanted(Exception):
    """What a worker raises in its heartbeat."""


def stop() -> None:
    raise StopWanted


def holder(folder: Path, count: int) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(count)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == b"in\n"
    return process


def test_as_many_as_there_are_places_get_in_and_the_next_waits(tmp_path):
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(RenderSlots(tmp_path, 2).one(no_heartbeat))
        with pytest.raises(StopWanted), RenderSlots(tmp_path, 2).one(stop):
            pytest.fail("a third got in")
    with RenderSlots(tmp_path, 2).one(stop):
        """There is room again."""


def test_the_place_of_a_process_that_is_killed_is_free_at_once(tmp_path):
    other = holder(tmp_path, 1)
    heartbeats: list[None] = []

    def kill_it() -> None:
        heartbeats.append(None)
        if len(heartbeats) == 3:
            other.kill()
            other.communicate()

    with RenderSlots(tmp_path, 1).one(kill_it):
        assert len(heartbeats) >= 3
