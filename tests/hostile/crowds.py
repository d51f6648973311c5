"""Crowds of such clients, in a process of their own, while others work."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.e2e.service import ROOT, Service

#: How many of each kind, as they were once seen to stop everything.
CROWDS = {"silent": 300, "heads": 60, "bodies": 60, "openings": 60, "readers": 45, "lingerers": 38, "uploads": 45}


@dataclass
class Outcome:
    """ended: how many are done. told: how often each status was the answer; “reset” and nothing count, too."""

    ended: int = 0
    told: dict[str, int] = field(default_factory=dict)


@contextmanager
def crowd(service: Service, kind: str, *, path: str = "/", again: bool = True) -> Iterator[Outcome]:
    """They are all connected; what became of them is known afterwards. again: they come back when sent away."""
    command = [sys.executable, "-m", "tests.hostile.clients", urlsplit(service.url).netloc, kind, str(CROWDS[kind])]
    outcome = Outcome()
    with subprocess.Popen(
        [*command, f"again:{path}" if again else path],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield outcome
        process.stdin.close()
        found = json.loads(process.stdout.read())
        outcome.ended, outcome.told = found["ended"], found["told"]
