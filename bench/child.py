"""The sandbox's child, asked as the service asks it."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.pipeline.values import Limits, Request, Usage


class Child:
    """Renders one picture, again and again. pids: of the processes that did."""

    def __init__(self, sandbox: Sandbox, picture: Path, into: Path) -> None:
        self.pids: set[int | None] = set()
        self._sandbox, self._picture, self._into = sandbox, picture, into

    def render(self) -> Usage:
        """The whole call: hash of the source, guard, probe, facts, render step, proof scan, placeholder."""
        request = Request(str(self._picture), str(self._into), sha256(self._picture), GALLFORMERS)
        self._sandbox.render(request, timeout_s=120, heartbeat=lambda: None, on_output=lambda done, of: None)
        self.pids.add(self._sandbox.pid)
        if self._sandbox.usage is None:
            raise RuntimeError("a render that did not begin")
        return self._sandbox.usage


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def child(picture: Path) -> Iterator[Child]:
    with TemporaryDirectory() as folder:
        into = Path(folder)
        with closing(Sandbox(Limits().memory_bytes, into, readable=[picture.parent])) as sandbox:
            yield Child(sandbox, picture, into)
