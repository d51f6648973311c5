"""Whatever is killed, and whenever, every accepted picture gets its result."""

import os
import random
import signal
import time
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from tests.chaos.world.harness import World, photos, scaled, world
from tests.e2e.service import is_stopped, stat, wait_until

KINDS = ("sandbox", "template", "worker", "web", "valkey")
KILLS_OF_A_KIND = scaled(3, 12)
UPLOADS_PER_KILL = 5
#: What a worker had under way when its sandbox stopped has arrived by then.
STILL_S = 0.3


def test_nothing_accepted_is_lost_when_processes_are_killed_at_random_moments(tmp_path):
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 1_000_000)
    print(f"SEED={seed} repeats the order of the kills")
    chance = random.Random(seed)
    victims = list(KINDS * KILLS_OF_A_KIND)
    chance.shuffle(victims)
    with world(tmp_path) as chaotic:
        with ThreadPoolExecutor(4) as pool:
            sent: list[Future[str]] = []
            at_work: Counter[str] = Counter()
            for kind in victims:  # each in the middle of work
                sent.extend(pool.submit(chaotic.send, photo) for photo in photos(UPLOADS_PER_KILL, large_every=2))
                time.sleep(chance.uniform(0.05, 0.8))
                if kind in ("sandbox", "worker") and chance.random() < 0.7:
                    kill_at_work(chaotic, kind)
                    at_work[kind] += 1
                else:
                    kill_any(chaotic, kind, chance)
            accepted = {one.result() for one in sent}
        assert len(accepted) == UPLOADS_PER_KILL * len(victims)
        assert not chaotic.refusals, "a service that is there accepts"
        chaotic.assert_all_done()
        met = Counter(str(event["data"].get("code") or event["type"]) for event in chaotic.history())
        print(f"{at_work=}; met by them: {met['lease_expired']=} {met['decoder_killed']=}")
        assert met["lease_expired"] >= at_work["worker"]
        chaotic.assert_invariants()


def kill_any(world: World, kind: str, chance: random.Random) -> None:
    if kind == "template":  # one that was killed is missed by the next decoder only
        for pid in world.service.pids(kind):
            os.kill(pid, signal.SIGKILL)
    else:
        os.kill(chance.choice(living(world, kind)), signal.SIGKILL)


def kill_at_work(world: World, kind: str) -> None:
    """One that has a picture in hand, however quick it is: it stands still while we look.

    Pictures come until one is met. Of a sandbox that stands still, the worker waits: the job stays as it is.
    """
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, f"no {kind} was ever met at work"
        if not in_hand(world):
            world.send(photos(2, large_every=2)[1])
        for pid in living(world, kind):
            with suppress(FileNotFoundError, ProcessLookupError):
                if is_stopped(pid):
                    continue
                os.kill(pid, signal.SIGSTOP)
                try:
                    if has_work_in_hand(world, pid, kind):
                        os.kill(pid, signal.SIGKILL)
                        return
                finally:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)


def has_work_in_hand(world: World, pid: int, kind: str) -> bool:
    """Of a process that is stopped. A worker may just be writing that it is done; after a moment that has arrived."""
    worker = str(stat(pid)[1] if kind == "sandbox" else pid)
    before = in_hand(world)[worker]
    time.sleep(STILL_S)
    return bool(before & in_hand(world)[worker])


def in_hand(world: World) -> dict[str, set[str]]:
    """The jobs that each worker process has in hand, by its id: one for each slot at most."""
    jobs: dict[str, set[str]] = defaultdict(set)
    for row in world.query("SELECT id, worker FROM media_jobs_job WHERE state = 'processing'"):
        jobs[row["worker"].split("-")[-2]].add(str(row["id"]))
    return jobs


def living(world: World, kind: str) -> list[int]:
    found: list[int] = []

    def lives() -> list[int]:
        found[:] = world.service.pids(kind)
        return found

    wait_until(lives, 60, f"a {kind}")  # it may just have been killed
    return found
