"""What lies in the data directory is for its owner alone, whoever made the directory."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gallimg_site.data_directory import close_to_others
from gallimg_site.env_fields import ConfigError
from tests.e2e.service import ROOT


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o710, 0o2770])
def test_a_directory_that_others_may_enter_is_closed(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    close_to_others(data)
    assert stat.S_IMODE(data.stat().st_mode) & 0o077 == 0


def test_one_that_is_not_ours_to_close_is_refused_with_what_to_do(tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(ConfigError, match=r"GALLIMG_DATA: .* such as .*gallimg"):
        close_to_others(tmp_path)


def test_one_that_is_not_there_yet_is_left_to_whoever_makes_it(tmp_path: Path) -> None:
    close_to_others(tmp_path / "later")
    assert list(tmp_path.iterdir()) == []


def manage(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """A command in an environment that says where the data are and no more, with a umask that is open to all."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "GALLIMG_DATA": str(data), "DATABASE_URL": "", "SECRET_KEY": ""},
        umask=0,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_no_file_that_the_service_makes_is_for_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    done = manage("migrate", "--verbosity=0", data=data)
    assert done.returncode == 0, done.stderr
    made = [data, *data.rglob("*")]
    assert {path.name for path in made} >= {"gallimg.sqlite3", "secret_key"}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


@pytest.mark.slow
def test_looking_for_what_is_to_be_repaired_makes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for path in (data, tmp_path):
        done = manage("housekeeping", "--dry-run", data=data)
        assert done.returncode == 1
        assert "There is no database yet" in done.stderr
        assert list(tmp_path.iterdir()) == ([] if path is data else [data])
        data.mkdir(exist_ok=True)
    assert list(data.iterdir()) == []
