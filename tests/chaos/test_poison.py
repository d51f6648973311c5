"""Pictures that are made to harm: each fails as it deserves, and the good ones behind it are done."""

from collections.abc import Iterator

import pytest

from tests.chaos.dying.crashing import KILLS_WORKERS
from tests.chaos.dying.faulty import faulty_world
from tests.chaos.dying.poisoned_decoder import ABORTS, EATS_MEMORY, LOOPS, poisoned
from tests.chaos.world.harness import World, photos, scaled
from tests.e2e.service import photo


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One worker, so that what stands behind a poison must wait for it."""
    env = {
        "WORKERS": "1",
        "MAX_ATTEMPTS": "3",
        "RENDER_TIMEOUT_S": "2",
        "SANDBOX_MEMORY_MB": "256",
        "HEAVY_MEMORY_MB": "320",
    }
    with faulty_world(tmp_path_factory.mktemp("poison"), env=env) as (made, _):
        yield made


@pytest.mark.parametrize(
    ("poison", "code", "attempts", "lane"),
    [
        pytest.param(ABORTS, "decoder_crashed", 1, "interactive", id="aborts"),
        pytest.param(LOOPS, "render_timeout", 2, "heavy", id="loops"),
        pytest.param(EATS_MEMORY, "too_much_memory", 2, "heavy", id="eats_memory"),
    ],
)
def test_a_poison_fails_alone_and_its_worker_lives(world, poison, code, attempts, lane):
    workers = world.service.pids("worker")
    job_id, good = send_with_good_ones_behind(world, poison)
    job = world.settle()[job_id]
    assert (job["state"], job["code"], job["attempt"], job["lane"]) == ("failed", code, attempts, lane)
    assert_done(world, [*good, world.send(photo())])  # the slot is free
    assert world.service.pids("worker") == workers
    world.assert_invariants()


def test_a_picture_that_kills_every_worker_is_given_up_at_last(world):
    workers = world.service.pids("worker")
    job_id, good = send_with_good_ones_behind(world, KILLS_WORKERS)
    job = world.settle()[job_id]
    assert (job["state"], job["code"], job["attempt"]) == ("failed", "worker_lost", 3)
    assert_done(world, [*good, world.send(photo())])
    assert world.service.pids("worker") != workers
    world.assert_invariants()


def send_with_good_ones_behind(world: World, poison: bytes) -> tuple[str, list[str]]:
    job_id = world.send(poisoned(photo(), poison))
    return job_id, world.send_all(photos(scaled(10, 100)), threads=2)


def assert_done(world: World, job_ids: list[str]) -> None:
    jobs = world.settle()
    assert {job_id: jobs[job_id]["state"] for job_id in job_ids} == dict.fromkeys(job_ids, "done")
