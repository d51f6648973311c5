"""A child of the bench, as its parent sees it: `bench.children.lines` is the other end."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Self

from bench.measure import ROOT


class Asked:
    """A process of bench/children that is asked by lines, and ends with the block."""

    def __init__(self, child: str, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"bench.children.{child}"],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, **what: Any) -> Any:
        """Raises RuntimeError where it has ended."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(what), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that was asked for {what} has ended")
        return json.loads(answer)
