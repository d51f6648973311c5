"""A service with everything that it starts on a machine of little memory, and a crowd of uploads at once."""

import http.client
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.uploads import posted, with_comment
from tests.e2e.service import Service
from tests.e2e.stores import s3_settings
from tests.limits import NO_LIMITS
from tests.measuring.memory_group import MemoryGroup, memory_group
from tests.servers.seaweed import seaweedfs

_MIB = 1_048_576
MEMORY_MB = 256
CROWD = 30
UPLOAD_BYTES = 10_000_000
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a crowd. accepted_s: seconds of each upload until its 202. ends: how many jobs ended how."""

    accepted_s: list[float]
    ends: Counter[str]
    jobs: list[str]


class SmallHost:
    """`group`: what holds the service and all its processes. The storage's server, if there is one, is elsewhere."""

    def __init__(self, service: Service, group: MemoryGroup) -> None:
        self.service, self.group = service, group
        self._host = urlsplit(service.url).netloc

    def send(self, picture: bytes) -> tuple[float, str]:
        """Upload it, each time on a connection of its own. Return seconds until its 202, and the job.

        A storage of the same busy machine may not answer for a while; who is told so comes again.
        """
        content = with_comment(picture, uuid.uuid4().bytes)
        content += bytes(max(0, UPLOAD_BYTES - len(content)))  # behind the end of the picture
        began_s = time.monotonic()
        status, said = http.client.SERVICE_UNAVAILABLE, b""
        while status == http.client.SERVICE_UNAVAILABLE:
            assert time.monotonic() - began_s < _PATIENCE_S, said
            with closing(http.client.HTTPConnection(self._host, timeout=_PATIENCE_S)) as connection:
                status, said = posted(connection, content)
        assert status == http.client.ACCEPTED, said
        return time.monotonic() - began_s, str(json.loads(said)["jobId"])

    def crowd(self, picture: bytes) -> Taken:
        """Have CROWD clients upload at once, and wait until all is done."""
        together = threading.Barrier(CROWD)

        def one(_: int) -> tuple[float, str]:
            together.wait()
            return self.send(picture)

        with ThreadPoolExecutor(CROWD) as pool:
            sent = list(pool.map(one, range(CROWD)))
        jobs = [job for _, job in sent]
        return Taken([took_s for took_s, _ in sent], self.ends(jobs), jobs)

    def ends(self, jobs: list[str]) -> Counter[str]:
        """Wait for all of them: `done`, or the code of the error."""
        found = (self.service.finished(job, within_s=_PATIENCE_S) for job in jobs)
        return Counter(job.get("code") or job["status"] for job in found)


@contextmanager
def small_host(folder: Path, *, on_s3: bool, memory_mb: int = MEMORY_MB) -> Iterator[SmallHost | None]:
    """With SQLite, a Valkey of its own and two workers; None where no such group can be made."""
    with ExitStack() as stack:
        group = stack.enter_context(memory_group(memory_mb * _MIB))
        if group is None:
            yield None
            return
        stored = s3_settings(stack.enter_context(seaweedfs())) if on_s3 else {}
        env = {"DATABASE_URL": "", "WORKERS": "2", **NO_LIMITS, **stored}
        service = Service(folder / "data", env, launcher=group.launcher)
        stack.callback(service.kill)
        yield SmallHost(service.start(), group)
        service.stop()
