"""Runs pytest with the arguments given, then prints one JSON line: each test's seconds, and this process' status."""

import json
import sys
from pathlib import Path

import pytest


class Calls:
    """Seconds of each test's own call, without its fixtures."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed = 0

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.failed += report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed += report.failed
        if report.when == "call":
            self.seconds[report.nodeid.rpartition("/")[2]] = report.duration


def main(arguments: list[str]) -> None:
    calls = Calls()
    code = pytest.main(arguments, plugins=[calls])
    if not calls.seconds:
        raise SystemExit(f"pytest ended with {code!r} and ran no test")
    summary = {"seconds": calls.seconds, "failed": calls.failed, "status": Path("/proc/self/status").read_text()}
    print(json.dumps(summary))


if __name__ == "__main__":
    main(sys.argv[1:])
