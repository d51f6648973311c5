"""No temporary file outlives its worker for long."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from media_jobs.adapters.workspace import Workspace, remove_left, sweep, temporary_folder
from media_jobs.errors import WorkspaceUnavailable


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


def test_what_cannot_be_removed_ends_no_process_and_is_removed_later(tmp_path: Path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        with temporary_folder("job-", tmp_path) as folder:
            (folder / "file").write_bytes(b"x")
            for call in ("unlink", "rmdir"):  # where `tempfile.TemporaryDirectory` calls itself without end
                patch.setattr(f"os.{call}", refuse)
        assert folder.exists()
    remove_left()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["os.open", "os.mkdir"])
def test_a_workspace_that_cannot_be_made_says_so_at_once(tmp_path: Path, monkeypatch, call: str):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(call, refuse)
    with pytest.raises(WorkspaceUnavailable, match="Permission denied"):
        Workspace(tmp_path, "mine")


def test_one_that_somebody_has_removed_is_noticed(tmp_path: Path):
    mine = Workspace(tmp_path, "mine")
    assert mine.is_there
    shutil.rmtree(mine.path)
    assert not mine.is_there
    another = Workspace(tmp_path, "mine")
    assert another.is_there
    assert not mine.is_there
    another.close()
    mine.close()
