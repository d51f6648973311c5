"""Starts each contender, with a folder and, where it wants one, a Valkey of its own. All die with this process."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bench import node
from bench.builds import OPEN_JOBS, SETTINGS
from bench.measure import ROOT
from bench.services.contender import Contender
from tests import servers
from tests.e2e.service import Service, wait_until

_PLAIN = "SELECT count(*) FROM plain_django_picture WHERE NOT is_done"
_WORKERS = 2
_START_LIMIT_S = 60.0


@contextmanager
def ours(env: Mapping[str, str] | None = None) -> Iterator[tuple[Contender, Service]]:
    """`manage.py serve` with two workers, on SQLite and, unless `env` says otherwise, files."""
    with _folder() as folder:
        service = Service(folder / "data", {**SETTINGS, "WORKERS": str(_WORKERS), **(env or {})})
        try:
            service.start()
            rows = (service.data / "gallimg.sqlite3", OPEN_JOBS)
            yield Contender("ours", f"{service.url}/v1/images", service.data, (service.pid,), rows), service
        finally:
            service.kill()


@contextmanager
def in_node(library: str, *, as_ours: bool = False) -> Iterator[Contender]:
    """`peers/handler.mjs` with sharp or Jimp. Raises node.NotInstalled.

    as_ours: sharp writes its JPEGs with the encoder's settings that ours has.
    """
    node.prepare()
    with _folder() as folder, ExitStack() as stack:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "VIPS_"))}
        options = json.dumps({"quality": 80, "quantisationTable": 5} if as_ours else {})
        command = ["node", "bench/peers/handler.mjs", library.lower(), str(folder), options]
        handler = _started(stack, command, environment)
        assert handler.stdout
        port = int(handler.stdout.readline())
        name = f"Node and {library}" + (", encoding as ours does" if as_ours else "")
        yield Contender(name, f"http://127.0.0.1:{port}/pictures", folder, (handler.pid,))


@contextmanager
def plain_django(*, shrinks_in_place: bool = False) -> Iterator[Contender]:
    """gunicorn with one process of two threads, and two of RQ's workers, which fork for each job.

    shrinks_in_place: each size is made of the one before, instead of a copy of the whole picture.
    """
    with _folder() as folder, servers.valkey() as valkey, ExitStack() as stack:
        [port] = servers.free_ports(1)
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.peers.plain_django.settings",
            "PLAIN_DATA": str(folder),
            "PLAIN_SHRINKS_IN_PLACE": "yes" if shrinks_in_place else "no",
            "REDIS_URL": valkey.url,
        }
        migrate = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity=0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
        gunicorn = ["gunicorn", "--workers=1", "--threads=2", f"--bind=127.0.0.1:{port}", "--log-level=error"]
        application = "bench.peers.plain_django.wsgi"
        web = _started(stack, [sys.executable, "-m", *gunicorn, "--no-control-socket", application], environment)
        command = [sys.executable, "-m", "django", "rqworker", "default", "--verbosity=0"]
        workers = [_started(stack, command, environment) for _ in range(_WORKERS)]
        url = f"http://127.0.0.1:{port}/pictures"
        wait_until(lambda: _answers(url), _START_LIMIT_S, "the plain Django")
        processes = (web.pid, *(worker.pid for worker in workers), valkey.pid)
        name = "Django, Pillow and RQ" + (", from size to size" if shrinks_in_place else "")
        yield Contender(name, url, folder, processes, (folder / "plain.sqlite3", _PLAIN))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gallimg-bench-") as folder:
        yield Path(folder)


def _started(stack: ExitStack, command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """It gets SIGTERM at the end, so that its children end with it."""
    process = stack.enter_context(
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=servers.die_with_parent,  # noqa: PLW1509 - one system call, no lock
        )
    )
    stack.callback(process.terminate)
    return process


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == httpx.codes.METHOD_NOT_ALLOWED
    except httpx.TransportError:
        return False
