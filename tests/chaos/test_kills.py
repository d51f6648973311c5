"""Whatever is killed, and whenever, every accepted picture gets its result."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.chaos.world.harness import World, photos, scaled, world
from tests.e2e.service import wait_until

KINDS = ("sandbox", "worker", "web", "valkey")
KILLS_OF_A_KIND = scaled(3, 12)
UPLOADS_PER_KILL = 5


def test_nothing_accepted_is_lost_when_processes_are_killed_at_random_moments(tmp_path):
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 1_000_000)
    print(f"SEED={seed} repeats the order of the kills")
    chance = random.Random(seed)
    victims = list(KINDS * KILLS_OF_A_KIND)
    chance.shuffle(victims)
    with world(tmp_path) as chaotic:
        with ThreadPoolExecutor(4) as pool:
            sent: list[Future[str]] = []
            at_work_or_idle = lambda: busy_workers(chaotic) or all_ended(chaotic, sent)  # noqa: E731
            for kind in victims:  # each in the middle of work
                sent.extend(pool.submit(chaotic.send, photo) for photo in photos(UPLOADS_PER_KILL, large_every=2))
                time.sleep(chance.uniform(0.05, 0.8))
                if kind in ("sandbox", "worker") and chance.random() < 0.7:
                    wait_until(at_work_or_idle, 60, "a picture that is being rendered, or the end of all")
                kill_one(chaotic, kind, chance)
            accepted = {one.result() for one in sent}
        assert len(accepted) == UPLOADS_PER_KILL * len(victims)
        assert not chaotic.refusals, "a service that is there accepts"
        chaotic.assert_all_done()
        met = Counter(str(event["data"].get("code") or event["type"]) for event in chaotic.history())
        print(f"killed {dict(Counter(victims))}; met by them: {met['lease_expired']=} {met['decoder_killed']=}")
        assert met["lease_expired"] + met["decoder_killed"] >= KILLS_OF_A_KIND // 2, "they met hardly any work"
        chaotic.assert_invariants()


def busy_workers(world: World) -> list[int]:
    rendering = "SELECT worker FROM media_jobs_job WHERE state = 'processing' AND stage = 'rendering'"
    return [int(row["worker"].split("-")[-2]) for row in world.query(rendering)]


def all_ended(world: World, sent: Sequence[Future[str]]) -> bool:
    """A quick machine may be done with everything before it was looked at."""
    return all(one.done() for one in sent) and all(job["state"] == "done" for job in world.jobs().values())


def kill_one(world: World, kind: str, chance: random.Random) -> None:
    """One that works, where there is one."""
    living: list[int] = []

    def lives() -> list[int]:
        living[:] = world.service.pids(kind)
        return living

    wait_until(lives, 60, f"a {kind}")  # it may just have been killed
    busy = set(busy_workers(world)) if kind in ("sandbox", "worker") else set()
    working = [pid for pid in living if pid in busy or parent(pid) in busy]
    os.kill(chance.choice(working or living), signal.SIGKILL)


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
