"""Starts a decoder: forked from the template, or a fresh program where no process can adopt another's child (macOS)."""

import json
import os
import subprocess  # nosec B404 # of our own interpreter and our own file
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from media_jobs import pipeline
from media_jobs.adapters.decoder import template
from media_jobs.adapters.decoder.template_process import environment
from media_jobs.adapters.workspace import translate_errors
from media_jobs.ports import Heartbeat

ENTRY = Path(pipeline.__file__).with_name("__main__.py")
#: Tests of what macOS does turn it off.
FORKS = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Started:
    """A child of this process, the leader of a session, with our ends of its pipes."""

    pid: int
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


def start(arguments: dict[str, Any], heartbeat: Heartbeat) -> Started:
    """A new decoder with these arguments of `loop.main`; it inherits no descriptor but its three pipes.

    Raises DecoderFailed, WorkspaceUnavailable, and what `heartbeat` raises.
    """
    with ExitStack() as ours, ExitStack() as theirs:
        with translate_errors():
            stdin, to_child = _pipe(reads=theirs, writes=ours)
            from_child, stdout = _pipe(reads=ours, writes=theirs)
            errors_of_child, stderr = _pipe(reads=ours, writes=theirs)
        pipes = [pipe.fileno() for pipe in (stdin, stdout, stderr)]
        if FORKS:
            pid = template.fork(ENTRY, arguments, pipes, heartbeat)
        else:
            with translate_errors():
                pid = _executed(arguments, pipes)
        ours.pop_all()
        return Started(pid, to_child, from_child, errors_of_child)


def _pipe(*, reads: ExitStack, writes: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return (
        reads.enter_context(os.fdopen(read, "rb", buffering=0)),
        writes.enter_context(os.fdopen(write, "wb", buffering=0)),
    )


def _executed(arguments: dict[str, Any], pipes: list[int]) -> int:
    [folder] = arguments["writable"]
    process = subprocess.Popen(  # noqa: S603 # nosec B603 # our own interpreter and our own file
        [sys.executable, "-I", str(ENTRY), json.dumps(arguments)],
        stdin=pipes[0],
        stdout=pipes[1],
        stderr=pipes[2],
        cwd=folder,
        env={**environment(), "TMPDIR": folder},
        start_new_session=True,
    )
    process.returncode = 0  # whoever has its id waits for it
    return process.pid
