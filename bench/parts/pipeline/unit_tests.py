"""The pipeline's unit tests: how long the slowest takes, and how much memory all of them take in one process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from bench.measure import MIB, ROOT, Spread
from bench.rows import Row

_LIMIT_MS = 250
#: They need no Django, so they run without it, and without the other tests' servers.
_OPTIONS = (
    "-q",
    "-c",
    os.devnull,
    f"--rootdir={ROOT}",
    "--noconftest",
    "-p",
    "tests.unit.conftest",
    "-p",
    "no:cacheprovider",
    "--continue-on-collection-errors",
)
_AS_THE_CHILD = {"VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "1"}
#: What the plan of the first seed had in mind: metadata stripped, four sizes made.
_FIRST = ("tests/unit/pixels/test_render.py", "tests/unit/privacy/test_metadata.py")
_ROOMS = ("formats", "pixels", "privacy")
_NEEDS_DJANGO = re.compile(
    r"^\s*(?:from|import) (?:django|gallimg_site|media_jobs\.(?!demo\b|pipeline\b|errors\b|keys\b))", re.MULTILINE
)


def rows() -> Iterator[Row]:
    bare_bytes = _peak_bytes(_python("-c", "print(open('/proc/self/status').read())"))
    tests = _tested(*files())
    slowest, slowest_s = max(tests["seconds"].items(), key=lambda test: test[1])
    slow = sum(seconds > _LIMIT_MS / 1000 for seconds in tests["seconds"].values())
    note = f"{slowest}; {slow} of {len(tests['seconds'])} tests above the target"
    what = "slowest unit test of the pipeline"
    yield Row("tests", what, "", "ms", Spread.of([1000 * slowest_s]), _LIMIT_MS, at_most=True, note=note)
    for which, run in {"the tests of renders and metadata": _tested(*_FIRST), "all of them": tests}.items():
        above = Spread.of([(_peak_bytes(run["status"]) - bare_bytes) / MIB])
        what = f"process of {which}, above a bare Python"
        note = f"{len(run['seconds'])} tests; peak of resident memory; bare Python takes {bare_bytes / MIB:.1f} MB"
        yield Row("tests", what, "", "MB", above, 50, at_most=True, note=note)


def _tested(*paths: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(
        _python("-m", "bench.children.pytest_process", *_OPTIONS, *paths).splitlines()[-1]
    )
    if summary["failed"]:
        raise RuntimeError(f"{summary['failed']} unit tests failed: make test says which")
    return summary


def files() -> list[str]:
    """The unit tests that are about the pipeline and nothing above it, from the project's root."""
    paths = sorted(path for room in _ROOMS for path in ROOT.glob(f"tests/unit/{room}/test_*.py"))
    texts = {path: path.read_text() for path in paths}
    return [
        str(path.relative_to(ROOT))
        for path, text in texts.items()
        if "media_jobs.pipeline" in text and not _NEEDS_DJANGO.search(text)
    ]


def _python(*arguments: str) -> str:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **_AS_THE_CHILD}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _peak_bytes(status: str) -> int:
    """Read the peak from /proc/self/status, where it starts anew at exec; `ru_maxrss` counts the parent's, too."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if not found:
        raise RuntimeError("this system does not tell a process' peak of memory: Linux is needed")
    return 1024 * int(found[1])
