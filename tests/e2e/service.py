"""The whole service as its users start it: `manage.py serve` in a process of its own."""

import io
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from tests.e2e.databases import database
from tests.e2e.stores import FileObjects, Objects, storage
from tests.servers import die_with_parent, free_ports

logging.getLogger("httpx").setLevel(logging.WARNING)  # or a failure's report drowns in polls

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 300.0
STOP_LIMIT_S = 45.0
JOB_LIMIT_S = 120.0

#: What the kernel calls the processes, by kind. A sandbox is whatever a worker has started besides its template.
_TITLES = {
    "web": "gallimg-web",
    "worker": "gallimg-worker",
    "template": "gallimg-template",
    "valkey": "valkey-server",
    "greeter": "gallimg-greeter",
}


_LOGGED = re.compile('"event": "(sandbox_ready|storage_failed)"')


class Service:
    """One running service, which dies with the thread that started it. `env` adds to and overrides the settings.

    launcher: a command that becomes the one appended to it, in a mount namespace of its own.
    program: what Python runs in place of `manage.py`, with `command`. objects: its storage; by default files.
    root: of the checkout that is run, with the virtual environment that it has, unless it is this one.
    """

    def __init__(
        self,
        data: Path,
        env: Mapping[str, str] | None = None,
        *,
        arguments: tuple[str, ...] = (),
        launcher: tuple[str, ...] = (),
        program: tuple[str, ...] = ("manage.py",),
        command: str = "serve",
        objects: Objects | None = None,
        root: Path = ROOT,
    ) -> None:
        self.data, self.root = data, root
        self.python = sys.executable if root == ROOT else str(root / ".venv/bin/python")
        self.objects = objects or FileObjects(data / "objects")
        self.env = {"GALLIMG_DATA": str(data), "REDIS_URL": "", "PORT": str(free_ports(1)[0]), **(env or {})}
        self.arguments, self.launcher, self.program = (command, *arguments), launcher, program
        self.headers: dict[str, str] = {}  #: that its callers send
        self._process: subprocess.Popen[bytes] | None = None
        self._out, self._err = data.with_suffix(".out"), data.with_suffix(".err")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['PORT']}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def started(self) -> bool:
        return self._process is not None

    @property
    def output(self) -> str:
        """Standard output of the current start."""
        return self._out.read_text()

    @property
    def logs(self) -> str:
        """Standard error of all starts."""
        return self._err.read_text()

    def launch(self) -> "Service":
        """Start without waiting."""
        with self._out.open("wb") as out, self._err.open("ab") as err:
            self._process = subprocess.Popen(
                [*self.launcher, self.python, *self.program, *self.arguments],
                cwd=self.root,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
            )
        return self

    def start(self) -> "Service":
        self.launch()
        wait_until(lambda: "gallimg ready" in self.output or self._has_ended(), START_LIMIT_S, "gallimg ready")
        assert not self._has_ended(), f"the service ended:\n{self.logs}"
        return self

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal to the whole process group, as a terminal does, and return the exit code."""
        os.killpg(self.pid, number)
        return self.wait()

    def wait(self) -> int:
        assert self._process
        return self._process.wait(STOP_LIMIT_S)

    def kill(self) -> None:
        if self._process and not self._has_ended():
            self._process.kill()
            self._process.wait()

    @property
    def works_in_web(self) -> bool:
        """Whether workers are threads of the web process."""
        return {**os.environ, **self.env}.get("WORKERS_IN_WEB") == "true"

    def pids(self, kind: str = "") -> list[int]:
        """Process ids by kind: web, worker, template, sandbox, valkey, greeter; without one all but the master's."""
        tree = family(self.pid)
        if kind == "sandbox":
            workers, templates = self.pids("worker"), self.pids("template")
            return [pid for pid, (parent, _) in tree.items() if parent in workers and pid not in templates]
        if kind == "worker" and self.works_in_web:
            kind = "web"
        if kind:
            return [pid for pid, (_, title) in tree.items() if title.startswith(_TITLES[kind][:15])]
        return list(tree)

    def send(self, content: bytes) -> str:
        """Upload a picture and return its job's id."""
        files = {"file": ("photo.jpg", content)}
        answer = httpx.post(f"{self.url}/v1/images", files=files, headers=self.headers, timeout=30)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["jobId"])

    def upload(self, content: bytes | None = None) -> dict[str, Any]:
        """Upload a picture and return its job once it has ended."""
        return self.finished(self.send(content or photo()))

    def finished(self, job_id: str, *, within_s: float = JOB_LIMIT_S) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def has_ended() -> bool:
            found.clear()  # while it waits it has fields that it has not once it is done
            found.update(httpx.get(f"{self.url}/v1/jobs/{job_id}", headers=self.headers, timeout=30).json())
            return bool(found["status"] != "processing")

        wait_until(has_ended, within_s, f"the end of job {job_id}")
        return found

    def manage(self, *arguments: str) -> str:
        """Standard output of a management command, run beside the service, which does well."""
        done = self.command(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """What came of a management command."""
        entering = ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", f"--wd={ROOT}"] if self.launcher else []
        return subprocess.run(
            [*entering, sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_LIMIT_S,
            text=True,
            check=False,
        )

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None


@contextmanager
def running(data: Path, env: Mapping[str, str] | None = None, **how: Any) -> Iterator[Service]:
    """A service that is ready, with a database of its own, and a storage unless `env` says which. how: see Service."""
    with ExitStack() as stack:
        url = stack.enter_context(database())
        stored, objects = ({}, None) if "S3_BUCKET" in (env or {}) else stack.enter_context(storage(data))
        settings = {"DATABASE_URL": url, **stored, **(env or {})}
        service = Service(data, settings, objects=objects, **how)
        try:
            yield service.start()
        finally:
            service.kill()


def photo(width_px: int = 800, height_px: int = 600) -> bytes:
    """A JPEG that no other call returns."""
    picture = Image.effect_noise((width_px // 8, height_px // 8), random.SystemRandom().uniform(40, 90))
    file = io.BytesIO()
    picture.resize((width_px, height_px)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def refusal(env: Mapping[str, str], **how: Any) -> str:
    """What `serve` says on standard error when it refuses to start. One line, or the assertion fails.

    Preparations that run beside each other may have logged what they found before.
    """
    process = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**os.environ, "REDIS_URL": "", "DATABASE_URL": "", "PORT": str(free_ports(1)[0]), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=START_LIMIT_S,
        text=True,
        check=False,
        **how,
    )
    assert process.returncode == 1, process.stderr
    said = "".join(line for line in process.stderr.splitlines(keepends=True) if not _LOGGED.search(line))
    assert re.fullmatch(r"gallimg cannot start\. [^\n]+\n", said), said
    return said


def wait_until(condition: Callable[[], object], limit_s: float, what: str, *, every_s: float = 0.1) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s:g} s for {what}"
        time.sleep(every_s)


def is_alive(pid: int) -> bool:
    try:
        return stat(pid)[2] not in "ZX"
    except OSError:
        return False


def family(ancestor: int) -> dict[int, tuple[int, str]]:
    """Parent and title of each living descendant."""
    known: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title, parent, state = stat(int(folder.name))
        except OSError:
            continue
        if state not in "ZX":
            known[int(folder.name)] = (parent, title)
    found, added = {ancestor}, True
    while added:
        younger = {pid for pid, (parent, _) in known.items() if parent in found}
        added = not younger <= found
        found |= younger
    return {pid: known[pid] for pid in sorted(found - {ancestor})}


def is_stopped(pid: int) -> bool:
    """Whether it stands still, as decoders do between two pictures. Raises FileNotFoundError, ProcessLookupError."""
    return stat(pid)[2] == "T"


def stat(pid: int) -> tuple[str, int, str]:
    """Title, parent and state of a process. Raises FileNotFoundError, ProcessLookupError."""
    text = Path(f"/proc/{pid}/stat").read_text()
    title, _, rest = text.partition("(")[2].rpartition(")")
    state, parent = rest.split()[:2]
    return title, int(parent), state
