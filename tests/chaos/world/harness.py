"""A whole service with a database and a queue that a test may hurt, and what must hold of it afterwards."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis
from psycopg.rows import dict_row

from tests.chaos.world.housekeeper import Housekeeper
from tests.chaos.world.invariants import violations
from tests.chaos.world.servers import PostgresServer, ValkeyServer, running_postgres, running_valkey
from tests.e2e.databases import database
from tests.e2e.service import Service, photo, wait_until
from tests.e2e.stores import FileObjects, Objects

LONG = os.environ.get("LONG") == "1"
#: An upload that is not accepted within this time, however often it is sent, never will be.
UPLOAD_LIMIT_S = 120.0
#: A job that has not ended by then is lost: more than the lease and all pauses between attempts.
SETTLE_LIMIT_S = 240.0
#: What stays in RQ's lists after the jobs have ended is taken out by idle workers.
DRAIN_LIMIT_S = 60.0
#: Who has the lease of the same task for so long, while nothing is to be done, is not at it.
IDLE_LEASE_HOLDER_S = 3.0

_HELD = "SELECT worker FROM media_jobs_maintenancetask WHERE lease_until > now()"

#: Lost workers are noticed within seconds, and a job may be killed often before it counts as a poison.
ENV = {"LEASE_S": "5", "MAX_ATTEMPTS": "20", "CLEANUP_INTERVAL_MINUTES": "1", "MIN_FREE_DISK_MB": "0"}


class World:
    """One service and its servers. `valkey` and `postgres` are there where the test asked for its own.

    accepted: the ids of the jobs that `send` was promised. refusals: status and code of what it got instead.
    """

    def __init__(
        self,
        service: Service,
        database_url: str,
        valkey: ValkeyServer | None,
        postgres: PostgresServer | None,
        *,
        objects: Objects | None = None,
    ) -> None:
        self.service = service
        self.database_url = database_url
        self._objects = objects
        self._valkey, self._postgres = valkey, postgres
        self.housekeeper: Housekeeper | None = None
        self.accepted: list[str] = []
        self.refusals: Counter[tuple[int, str]] = Counter()

    @property
    def valkey(self) -> ValkeyServer:
        assert self._valkey, "world(own_valkey=True)"
        return self._valkey

    @property
    def postgres(self) -> PostgresServer:
        assert self._postgres, "world(own_postgres=True)"
        return self._postgres

    @property
    def data(self) -> Path:
        """The data directory as the service sees it, which may have file systems mounted in there."""
        return Path(f"/proc/{self.service.pid}/root{self.service.data}")

    @property
    def objects(self) -> Objects:
        return self._objects or FileObjects(self.data / "objects")

    @property
    def work_folders(self) -> list[Path]:
        """The folders in which workers keep their workspaces."""
        return [self.data / "work"]

    @property
    def temporary_folders(self) -> list[Path]:
        return [Path(self.service.env["TMPDIR"])]

    def lives(self, lease_holder: str) -> bool:
        """Whether the process of that name does: `{host}:{pid}:{…}`."""
        return Path(f"/proc/{lease_holder.split(':')[1]}").exists()

    # --- what clients do --------------------------------------------------------------------------

    def upload(self, content: bytes, *, key: str = "", **fields: str) -> httpx.Response:
        """Send a picture once. Raises httpx.TransportError."""
        headers = {**self.service.headers, **({"Idempotency-Key": key} if key else {})}
        files = {"file": ("photo.jpg", content)}
        return httpx.post(f"{self.service.url}/v1/images", files=files, data=fields, headers=headers, timeout=60)

    def send(self, content: bytes, *, key: str = "", **fields: str) -> str:
        """Send a picture until it is accepted, and return its job's id."""
        deadline = time.monotonic() + UPLOAD_LIMIT_S
        while True:
            answer = None
            with suppress(httpx.TransportError):
                answer = self.upload(content, key=key, **fields)
            if answer is not None and answer.status_code == 202:
                self.accepted.append(job_id := str(answer.json()["jobId"]))
                return job_id
            if answer is not None:
                self.refusals[answer.status_code, str(answer.json()["code"])] += 1
            assert time.monotonic() < deadline, f"not accepted: {answer.text if answer is not None else 'no answer'}"
            time.sleep(0.1)

    @contextmanager
    def uploads(self, contents: Sequence[bytes], *, threads: int = 4) -> Iterator[list[Future[str]]]:
        """Uploads, repeated until they are accepted, that go on during the block and are over after it."""
        with ThreadPoolExecutor(threads) as pool:
            yield (sent := [pool.submit(self.send, content) for content in contents])
            for one in sent:
                one.result()

    def send_all(self, contents: Sequence[bytes], *, threads: int = 4) -> list[str]:
        with self.uploads(contents, threads=threads) as sent:
            return [one.result() for one in sent]

    # --- what is known of the jobs ----------------------------------------------------------------

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def jobs(self) -> dict[str, dict[str, Any]]:
        """All rows of jobs by id, also of uploads whose client never heard of them."""
        return {str(job["id"]): job for job in self.query("SELECT * FROM media_jobs_job ORDER BY id")}

    def history(self, job_id: str = "") -> list[dict[str, Any]]:
        """The events of one job, or of all."""
        statement = "SELECT * FROM media_jobs_jobevent WHERE %s IN ('', job_id::text) ORDER BY job_id, number"
        return self.query(statement, job_id)

    def settle(self, limit_s: float = SETTLE_LIMIT_S) -> dict[str, dict[str, Any]]:
        """Wait until every job has ended, and return them all."""
        open_jobs: list[dict[str, Any]] = []

        def all_ended() -> bool:
            with suppress(psycopg.OperationalError):  # it may be starting
                open_jobs[:] = [job for job in self.jobs().values() if job["state"] in ("queued", "processing")]
                return not open_jobs
            return False

        try:
            wait_until(all_ended, limit_s, "the end of every job")
        except AssertionError as error:
            lines = [
                f"{job['id']} {job['state']} {job['stage']} attempt {job['attempt']} lane {job['lane']} "
                f"not before {job['not_before']:%T} lease {job['lease_until']} {job['code']}"
                for job in open_jobs[:20]
            ]
            raise AssertionError("\n".join([f"{error}; {len(open_jobs)} are open:", *lines])) from None
        return self.jobs()

    def redis(self) -> "redis.Redis":
        url = self._valkey.url if self._valkey else f"unix://{self.service.data / 'valkey.sock'}"
        return redis.Redis.from_url(url)

    def assert_all_done(self) -> None:
        """Every accepted picture, and every one that was kept without its client knowing."""
        others = [job for job in self.settle().values() if job["state"] != "done"]
        assert not others, "\n".join(
            f"{job['id']} is {job['state']}: {job['code']} after "
            + ", ".join(f"{event['type']} {event['data'].get('code', '')}" for event in self.history(str(job["id"])))
            for job in others
        )

    def assert_invariants(self) -> None:
        """What must hold once everything is up again, whatever happened before."""
        self.settle()
        wait_until(self.service.is_ready, 60, "the service to be ready")
        self._wait_for_empty_lists()
        self._end_leases_of_idle_holders()
        self.keep_house()
        found = violations(self)
        assert not found, "\n".join([f"{len(found)} invariants do not hold:", *found])

    def keep_house(self) -> None:
        """Remove at once whatever nobody wants."""
        if self.housekeeper:
            self.housekeeper.keep_house()
        else:
            self.service.manage("housekeeping", "--older-than", "0")

    def _end_leases_of_idle_holders(self) -> None:
        """A holder that lost the database at the wrong moment lives on, and keeps others from its task for minutes.

        At rest a task takes far less than a second: whoever still has one after some seconds does nothing. Tasks of
        dead holders stay as they are: housekeeping must get at them by itself.
        """
        held = lambda: {row["worker"] for row in self.query(_HELD) if self.lives(row["worker"])}  # noqa: E731
        before, until = held(), time.monotonic() + IDLE_LEASE_HOLDER_S
        while before and time.monotonic() < until:
            time.sleep(0.1)
            before &= held()
        for worker in before:
            self.query(
                "UPDATE media_jobs_maintenancetask SET lease_until = now() WHERE worker = %s RETURNING name", worker
            )

    def _wait_for_empty_lists(self) -> None:
        with self.redis() as client:  # a list without anything in it is not there
            still = lambda: list(client.scan_iter("rq:queue:*", _type="list"))  # noqa: E731
            wait_until(lambda: not still(), DRAIN_LIMIT_S, "RQ's lists to be empty")


@contextmanager
def world(
    tmp: Path,
    env: Mapping[str, str] | None = None,
    *,
    launcher: tuple[str, ...] = (),
    program: tuple[str, ...] = ("manage.py",),
    own_valkey: bool = False,
    own_postgres: bool = False,
    reach: Callable[[str], str] = str,
) -> Iterator[World]:
    """A service that is ready, in an empty world. Enter it in the test's main thread.

    tmp: for its data and temporary files. launcher, program: see Service. own_valkey: a server of the test's own by
    REDIS_URL, else the service's embedded one. own_postgres: a server of the test's own, else a database on one that is
    shared. reach: makes of the database's URL the one that the service is given.
    """
    with ExitStack() as stack:
        postgres = None
        if own_postgres or os.environ["TEST_DB"] != "postgres":
            postgres = stack.enter_context(running_postgres())
            database_url = postgres.url
        else:
            database_url = stack.enter_context(database())
        valkey = stack.enter_context(running_valkey()) if own_valkey else None
        (temporary := tmp / "tmp").mkdir(exist_ok=True)
        own = {"DATABASE_URL": reach(database_url), "REDIS_URL": valkey.url if valkey else "", "TMPDIR": str(temporary)}
        service = Service(tmp / "data", {**ENV, **own, **(env or {})}, launcher=launcher, program=program)
        stack.callback(_end, service)
        yield World(service.start(), database_url, valkey, postgres)


def _end(service: Service) -> None:
    """All of it is gone afterwards: what it started dies with the master."""
    family = service.pids() if service.started else []
    service.kill()
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def scaled(short: int, long: int) -> int:
    return long if LONG else short


@cache
def _small() -> list[bytes]:
    return [photo() for _ in range(12)]


@cache
def _large() -> list[bytes]:
    return [photo(4000, 3000) for _ in range(2)]


def photos(count: int, *, large_every: int = 0) -> list[bytes]:
    """Pictures of 0.5 MP, and of 12 MP where a kill should find something to interrupt."""
    return [
        _large()[n % 2] if large_every and n % large_every == large_every - 1 else _small()[n % 12]
        for n in range(count)
    ]


def repeatedly(action: Callable[[], object], pauses_s: Iterable[float]) -> None:
    """Do it after each pause."""
    for pause_s in pauses_s:
        time.sleep(pause_s)
        action()
