"""No temporary file outlives its worker for long."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from media_jobs.adapters.workspace import Workspace, sweep


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_dead_process_left_is_cleared_away_and_what_lives_is_not(tmp_path: Path, how: signal.Signals):
    mine = Workspace(tmp_path, "mine")
    program = (
        "import sys, time; from pathlib import Path; from media_jobs.adapters.workspace import Workspace\n"
        "workspace = Workspace(Path(sys.argv[1]), 'other')\n"
        "(workspace.path / 'left').write_bytes(b'x'); print('ready', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"ready\n"
        assert sweep(tmp_path) == 0
        other.send_signal(how)
    assert sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    mine.close()
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_sweep_is_fine(tmp_path: Path):
    assert sweep(tmp_path / "never made") == 0
