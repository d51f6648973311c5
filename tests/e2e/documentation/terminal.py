"""A terminal in which the commands of the pages are typed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.service import ROOT, Service
from tests.servers import die_with_parent


@dataclass(frozen=True)
class Step:
    command: str
    shown: str


def section(page: str, heading: str) -> str:
    """What stands under a heading, without what stands under the next one."""
    found = re.search(rf"(?ms)^##+ {heading}$(.+?)(?:^##|\Z)", (ROOT / page).read_text())
    assert found, heading
    return found[1]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.+?)^```$", text)


def walk(text: str) -> list[Step]:
    """The commands of the console blocks in a text, each with the output that stands below it."""
    parts = [part for block in blocks(text, "console") for part in re.split(r"(?m)^\$ ", block)[1:]]
    return [Step(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def media(service: Service) -> str:
    """The address below which a service has its derivatives."""
    bucket, endpoint = service.env.get("S3_BUCKET"), service.env.get("S3_ENDPOINT")
    return f"{endpoint}/{bucket}" if bucket else f"{service.url}/media"


class Terminal:
    """Runs commands of the pages, with this machine's paths and this run's ids for those that stand there.

    env: what this machine needs besides. exported: a command that comes before each of the others.
    limit_s: the longest that one may take.
    """

    def __init__(
        self, folder: Path, real: Mapping[str, str], *, env: Mapping[str, str] | None = None, limit_s: float = 120
    ) -> None:
        self._limit_s = limit_s
        self.real = {
            ".venv/bin/python": sys.executable,
            "var/form": str(folder / "form"),
            "var/rendered": str(folder / "rendered"),
            **real,
        }
        self.exported = ""
        self._env = {**os.environ, **(env or {})}

    def type(self, command: str) -> str:
        return self._run(self._shell(command))

    def run(self, program: list[str], text: str) -> str:
        """What `program` prints that reads `text`, a program of the pages, from its standard input."""
        return self._run(program, self._as_here(text))

    @contextmanager
    def leave_running(self, command: str, log: Path) -> Iterator[Path]:
        """Run it as in a terminal of its own, until Ctrl-C at the end of the block. `log` is what it shows."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._shell(command.removesuffix("&")),
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
            )
        try:
            yield log
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)

    def _run(self, program: list[str], text: str = "") -> str:
        return subprocess.run(
            program,
            cwd=ROOT,
            env=self._env,
            input=text,
            capture_output=True,
            text=True,
            timeout=self._limit_s,
            check=True,
        ).stdout

    def _shell(self, command: str) -> list[str]:
        """The command as this machine runs it."""
        return ["bash", "-o", "pipefail", "-c", self._as_here(f"{self.exported}\n{command}")]

    def _as_here(self, text: str) -> str:
        for shown, real in self.real.items():
            text = text.replace(shown, real)
        return text

    def as_shown(self, output: str) -> str:
        """`output` with the paths and ids that stand in the pages."""
        for shown, real in self.real.items():
            output = output.replace(real, shown)
        return output
