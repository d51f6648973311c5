"""A program with a disk that is soon full: a tmpfs that nobody else sees, gone with it."""

import os
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest

from tests.adapters.decoder.running import ROOT

_MOUNT = 'mount -t tmpfs -o size="$1",mode=0700 tiny "$2" && shift 2 && exec "$@"'
_PRELUDE = """
import os, sys
from pathlib import Path
from media_jobs import errors
sys.path.insert(0, os.environ["ROOT"])
DISK = Path(sys.argv[1])

def fill(leaving=0):
    '''Take all room but so many bytes.'''
    with open(DISK / "filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            file.truncate(max(0, file.tell() - leaving))

def raised(call, *arguments, **options):
    '''Name of what the call raises.'''
    try:
        call(*arguments, **options)
    except errors.MediaError as error:
        return type(error).__name__
    return "nothing"
"""


def run(folder: Path, program: str, *, size: str = "4m", inodes: int = 0) -> list[str]:
    """The lines that `program` prints, where DISK is such a disk. `fill` and `raised` are there for it.

    inodes: how many files the disk takes, 0: many. Skips the test where no disk can be mounted.
    """
    if why := _why_not():
        pytest.skip(why)
    disk = folder / "disk"
    disk.mkdir(exist_ok=True)
    size += f",nr_inodes={inodes}" if inodes else ""
    source = _PRELUDE + textwrap.dedent(program)
    command = [*_unshared(), "sh", "-c", _MOUNT, "sh", size, str(disk), sys.executable, "-c", source, str(disk)]
    environment = {"PATH": os.environ["PATH"], "ROOT": str(ROOT)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return [line.removeprefix("> ") for line in ran.stdout.splitlines() if line.startswith("> ")]


def _unshared() -> list[str]:
    return ["unshare", "-m", *(["--map-root-user"] if os.geteuid() else [])]


@cache
def _why_not() -> str:
    if sys.platform != "linux":
        return "a small disk of its own takes Linux' mount namespaces"
    tried = subprocess.run(
        [*_unshared(), "mount", "-t", "tmpfs", "tiny", "/mnt"], capture_output=True, text=True, check=False
    )
    return f"no small disk can be mounted: {tried.stderr.strip()}" if tried.returncode else ""
