"""Sets the stage before Django's settings are read: an environment of our own, real servers, a database.

    TEST_DB=sqlite|postgres  which database (sqlite)
    REQUIRE_ALL=1            a skipped test fails: nothing that could be checked goes unchecked

With pytest-xdist the controller starts Valkey, in which each worker has a database of its own. Each has a directory of
its own, too, and its own PostgreSQL: a transaction that is open in one database of a server delays who reads events in
another.
"""

import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from gallimg_site.env import Env
from tests import servers
from tests.limits import NO_LIMITS

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")  # gw0, gw1 …; empty in the controller
_BASE = "GALLIMG_TEST_BASE"
_VALKEY = "GALLIMG_TEST_VALKEY"
#: Begin the names of files whose tests share a service.
_SHARING = tuple(
    f"tests/{name}" for name in ("browser/", "chaos/", "e2e/", "faults/test_service", "hostile/", "proxies/")
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Comes before pytest-django, which imports the settings in its own turn of this hook."""
    running = ExitStack()
    early_config.add_cleanup(running.close)
    if not _WORKER:
        _set_the_stage(running)
    _take_own_place()
    is_controller = getattr(early_config.known_args_namespace, "numprocesses", None)
    if os.environ["TEST_DB"] == "postgres" and (_WORKER or not is_controller):
        os.environ["DATABASE_URL"] = running.enter_context(servers.postgres()).url
    return (yield)


def _set_the_stage(running: ExitStack) -> None:
    for field in dataclasses.fields(Env):
        for name in (field.name, *field.metadata["aliases"]):
            os.environ[name] = ""  # unset, and not to be set by somebody's .env either
    del os.environ["AWS_CA_BUNDLE"]  # which boto3 reads by itself, and refuses where it is empty
    _keep_bytecode()
    os.environ["SECRET_KEY"] = "only for tests, where nothing is secret" + "." * 20
    os.environ.update(NO_LIMITS)
    base = tempfile.mkdtemp(prefix="gallimg-test-")
    running.callback(shutil.rmtree, base, ignore_errors=True)
    os.environ[_BASE] = base
    os.environ[_VALKEY] = running.enter_context(servers.valkey()).url
    chosen = os.environ.setdefault("TEST_DB", "sqlite")
    if chosen not in ("postgres", "sqlite"):
        raise pytest.UsageError(f"TEST_DB: got {chosen!r}, takes sqlite or postgres")


def _keep_bytecode() -> None:
    """Compile each module once, not in every process and every run, also where a container's image says otherwise."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _take_own_place() -> None:
    """Give this process a directory and a Valkey database that no other one uses."""
    number = int(_WORKER.removeprefix("gw") or 0)
    data = Path(os.environ[_BASE]) / (_WORKER or "main")
    data.mkdir()
    os.environ["GALLIMG_DATA"] = str(data)
    os.environ["REDIS_URL"] = f"{os.environ[_VALKEY]}?db={number % 16}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return _ByService(config, log) if config.option.dist == "loadfile" else None


class _ByService(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """First files whose tests share a service, each to one process; then all other tests one by one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return file if file.startswith(_SHARING) else nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _no_skipping(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _no_skipping(report)
    return report


def _no_skipping(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get("REQUIRE_ALL") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 and yet: {reason}"
