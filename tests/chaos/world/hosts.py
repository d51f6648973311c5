"""Several hosts over one database, one queue and one bucket, with nothing else in common.

Where namespaces can be made, each host has its own network, hostname, process ids and view of the disk: the same paths,
and behind them nothing that another host wrote. Elsewhere they are processes with directories of their own.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.chaos.world import network
from tests.chaos.world.harness import ENV, World, photos
from tests.chaos.world.housekeeper import housekeeper
from tests.chaos.world.servers import running_postgres, running_valkey
from tests.e2e.service import ROOT, START_LIMIT_S, Service, wait_until
from tests.e2e.stores import BucketObjects, Objects, s3_settings
from tests.servers import free_ports
from tests.servers.seaweed import seaweedfs

#: `$0` is the host's name, `$1` its number, `$2` its own folder, `$3` the place where all hosts have theirs, and `$4`
#: the folder with all of them, which none may see.
_MOVE_IN = (
    f'{network.JOIN}; echo "$0" > /proc/sys/kernel/hostname && mount --bind "$2" "$3" && mount -t tmpfs none "$4" '
    '&& mount -t tmpfs none /dev/shm && cd "$3" && shift 4 && exec "$@"'
)
_OPEN = "SELECT FROM media_jobs_job WHERE state IN ('queued', 'processing') LIMIT 1"
_NAMESPACES = ("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")


class Host:
    """One machine. `service` is what runs on it."""

    def __init__(self, name: str, number: int, tmp: Path, switch: network.Switch | None, how: dict[str, Any]) -> None:
        self.name, self.number, self._switch = name, number, switch
        self._away = False
        folder, place, every = tmp / "hosts" / name, tmp / "host", tmp / "hosts"
        seen = place if switch else folder
        for path in (folder / "tmp", folder / "data", place):
            path.mkdir(parents=True, exist_ok=True)
        self.work, self.temporary = folder / "data" / "work", folder / "tmp"
        env = {**how.pop("env"), "GALLIMG_DATA": str(seen / "data"), "TMPDIR": str(seen / "tmp")}
        moving = (*_NAMESPACES, "sh", "-c", _MOVE_IN, name, *map(str, (number, folder, place, every)))
        self.service = Service(
            folder / "data", env, launcher=moving if switch else (), program=(str(ROOT / "manage.py"),), **how
        )

    def launch(self) -> None:
        self.service.launch()
        if self._switch:
            self._switch.plug(self.number, self.service.pid)

    def is_worker(self, worker_id: str) -> bool:
        """Whether that is the name of a worker of this host."""
        if self._switch:
            return worker_id.startswith(f"{self.name}-")
        return worker_id.split("-")[-2] == str(self.service.pid)

    def freeze(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """A host that has vanished and has no network to be cut off from stays frozen."""
        for pid in reversed(self._pids()) if self._switch or not self._away else ():
            os.kill(pid, signal.SIGCONT)

    def vanish(self) -> None:
        """No packet leaves it or gets there. A process without a network of its own is frozen instead."""
        self._away = True
        if self._switch:
            self._switch.swallow(self.number)
        else:
            self.freeze()

    def come_back(self) -> None:
        self._away = False
        if self._switch:
            self._switch.repair(self.number)
        else:
            self.thaw()

    def kill(self) -> None:
        family = self._pids()
        self.service.kill()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), 60, f"the end of {self.name}")

    def _pids(self) -> list[int]:
        """What works on it, without what holds its namespaces."""
        return self.service.pids() if self._switch else [self.service.pid, *self.service.pids()]


class Farm(World):
    """A world of several hosts. `service` is the web host's; `workers` are the hosts that do the work."""

    workers: tuple[Host, ...]
    lost: Host | None = None  #: gone for good, with its disk

    @property
    def work_folders(self) -> list[Path]:
        return [host.work for host in self.workers if host is not self.lost]

    @property
    def temporary_folders(self) -> list[Path]:
        return [host.temporary for host in self.workers if host is not self.lost]

    def lives(self, lease_holder: str) -> bool:
        return not (self.lost and lease_holder.startswith(f"{self.lost.name}:"))

    def claims(self, job_id: str) -> list[str]:
        """Names of the hosts whose workers took the job, in turn."""
        by = [str(event["actor"]) for event in self.history(job_id) if event["type"] == "claimed"]
        return [next((host.name for host in self.workers if host.is_worker(one)), one) for one in by]

    def job_in_work(self, host: Host, stage: str) -> str:
        """Freeze the host in the middle of a job, at that stage, and return the job's id.

        stage: rendering or storing. It is told by the rows that come before the objects: what takes a moment only is no
        stage in the job's own row.
        """
        staged = "EXISTS (SELECT FROM media_jobs_derivative WHERE job_id = job.id AND state = 'pending')"
        working = "SELECT id, worker FROM media_jobs_job AS job WHERE state = 'processing' AND "
        working += staged if stage == "storing" else f"NOT {staged}"
        found: list[str] = []

        def is_caught() -> bool:
            if not self.query(_OPEN):  # all of them were done sooner than we looked
                self.send(photos(1)[0])
            if not any(host.is_worker(job["worker"]) for job in self.query(working)):
                return False
            host.freeze()
            found[:] = [str(job["id"]) for job in self.query(working) if host.is_worker(job["worker"])]
            if not found:
                host.thaw()
            return bool(found)

        wait_until(is_caught, 60, f"{host.name} at {stage}", every_s=0)
        return found[0]


@contextmanager
def farm(tmp: Path, *, names: tuple[str, ...] = ("alder", "birch")) -> Iterator[Farm]:
    """A web host that is ready, and a worker host for each name. Enter it in the test's main thread."""
    with ExitStack() as stack:
        switch = None
        if network.is_possible():
            switch = stack.enter_context(closing(network.Switch()))
        else:
            print("no namespaces here (root and iproute2 are needed): hosts are processes with folders of their own")
        postgres = stack.enter_context(running_postgres())
        valkey = stack.enter_context(running_valkey(tcp=True))
        seaweed = stack.enter_context(seaweedfs())
        objects = stack.enter_context(closing(BucketObjects(seaweed)))
        here = {**ENV, "DATABASE_URL": postgres.url, "REDIS_URL": valkey.url, **s3_settings(seaweed)}
        there = {**here, **_reached(here, switch)}
        port = free_ports(1)[0]
        web = _host("web", 2, tmp, switch, _of_web(there, port, everywhere=bool(switch)), objects)
        workers = tuple(
            _host(name, number, tmp, switch, _of_worker(there), command="worker")
            for number, name in enumerate(names, start=3)
        )
        for host in (web, *workers):
            stack.callback(host.service.kill)
            host.launch()
        if switch:
            switch.publish(port, web.number)
        made = Farm(web.service, postgres.url, valkey, postgres, objects=objects)
        made.workers = workers
        own = {**here, "GALLIMG_DATA": str(tmp / "housekeeper")}
        made.housekeeper = stack.enter_context(housekeeper(own))
        wait_until(web.service.is_ready, START_LIMIT_S, "the web host")
        web.service.headers = _credential(own)
        yield made


def _host(
    name: str,
    number: int,
    tmp: Path,
    switch: network.Switch | None,
    env: Mapping[str, str],
    objects: Objects | None = None,
    *,
    command: str = "serve",
) -> Host:
    return Host(name, number, tmp, switch, {"env": env, "objects": objects, "command": command})


def _reached(env: Mapping[str, str], switch: network.Switch | None) -> dict[str, str]:
    """The settings by which hosts find the servers."""
    if not switch:
        return {}
    found = {}
    for name in ("DATABASE_URL", "REDIS_URL", "S3_ENDPOINT"):
        url = urlsplit(env[name])
        assert url.port
        switch.offer(url.port)
        user = f"{url.username}@" if url.username else ""
        found[name] = urlunsplit(url._replace(netloc=f"{user}{network.SERVERS}:{url.port}"))
    return found


def _of_web(env: Mapping[str, str], port: int, *, everywhere: bool) -> dict[str, str]:
    """Without the workers' credentials."""
    own = {name: value for name, value in env.items() if not name.startswith("WORKER_AWS_")}
    listening = {"HOST": "0.0.0.0"} if everywhere else {}
    return {**own, **listening, "PORT": str(port), "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}", "WORKERS": "0"}


def _credential(env: Mapping[str, str]) -> dict[str, str]:
    """What callers from other hosts send: a key, made beside the service."""
    command = [sys.executable, "manage.py", "apikey", "create", "chaos"]
    made = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=True)
    return {"Authorization": f"Bearer {made.stdout.strip()}"}


def _of_worker(env: Mapping[str, str]) -> dict[str, str]:
    """Without the web's credentials."""
    own = {name: value for name, value in env.items() if not name.startswith(("WORKER_AWS_", "S3_READ_"))}
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {**own, **{name: env[f"WORKER_{name}"] for name in names}}
