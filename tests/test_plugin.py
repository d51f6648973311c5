"""What the tests themselves promise."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from media_jobs.models import Job, Preset, StoredEntry
from tests import plugin
from tests.factories import make_job
from tests.servers import free_ports

pytestmark = pytest.mark.slow  # `make test-all` runs them


def test_nothing_outside_this_machine_is_ever_asked() -> None:
    with pytest.raises(UserWarning, match="allowed"):
        socket.create_connection(("192.0.2.1", 80), timeout=5)


def test_a_port_that_one_process_has_is_given_to_no_other() -> None:
    (port,) = free_ports(1)
    ask = f"from tests import servers; servers._PORTS = range({port}, {port + 1}); servers.free_ports(1)"
    run = subprocess.run(
        [sys.executable, "-c", ask], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert "no free ports" in run.stderr


def _is_as_shipped() -> bool:
    names = set(Preset.objects.values_list("name", flat=True))
    return {"gallformers", "ingest"} <= names and not Job.objects.exists() and not StoredEntry.objects.exists()


@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_leaves_the_shipped_presets_for_the_next(turn: int) -> None:
    assert _is_as_shipped(), turn
    Preset.objects.filter(name="ingest").delete()
    make_job()
    assert StoredEntry.objects.exists(), "a trigger counts what is stored, and what is deleted again"


@pytest.mark.django_db
def test_a_test_that_rolls_back_finds_the_shipped_presets() -> None:
    assert _is_as_shipped()


@pytest.mark.parametrize(("require_all", "outcome"), [("", "skipped"), ("1", "failed")])
def test_a_skip_fails_where_all_is_required(require_all: str, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_ALL", require_all)
    why = ("test_it.py", 2, "Skipped: apt-get install it")
    report = pytest.TestReport("test_it.py::test_it", ("test_it.py", 2, "test_it"), {}, "skipped", why, "setup")
    plugin._no_skipping(report)
    assert report.outcome == outcome
    assert "apt-get install it" in str(report.longrepr)


def test_a_run_in_which_one_is_skipped_fails_where_all_is_required(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it(): pytest.skip('apt-get install it')\n")
    run = _pytest("-p", "tests.plugin", "-q", str(tmp_path), REQUIRE_ALL="1")
    assert "1 failed" in run.stdout


def test_files_whose_tests_share_a_service_are_run_by_one_process_and_others_are_not() -> None:
    divide = object.__new__(plugin._ByService)._split_scope
    assert divide("tests/unit/pixels/test_guard.py::test_it[1]") == "tests/unit/pixels/test_guard.py::test_it[1]"
    folder = settings.BASE_DIR / "tests"
    starts = re.compile(r"(running|world)\(\s*tmp_path_factory")  # for more than one test
    files = [path for path in folder.rglob("test_*.py") if starts.search(path.read_text())]
    assert len(files) > 15
    for file in files:
        name = str(file.relative_to(settings.BASE_DIR))
        assert divide(f"{name}::test_it[1]") == name


def _pytest(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    outer = ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        env={**{k: v for k, v in os.environ.items() if not k.startswith(outer)}, **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
