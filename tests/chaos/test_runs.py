"""A reprocess run that is killed, paused and resumed does each of its images once, and its ledger says so."""

import os
import random
import signal
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.chaos.test_kills import kill_any
from tests.chaos.world.harness import World, scaled, world
from tests.e2e.service import photo, wait_until

IMAGES = scaled(500, 2_000)
BAD = 5
KILLS = 5
#: A command has two minutes.
_AT_ONCE = 100
_LIMIT_S = 1_700


@pytest.mark.timeout(1800)  # so many images take a minute, and on a busy machine many
def test_a_run_that_is_killed_five_times_paused_and_resumed_does_each_image_once(tmp_path):
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 1_000_000)
    print(f"SEED={seed} repeats the order of the kills")
    chance = random.Random(seed)
    with world(tmp_path) as chaotic:
        call, owner = _caller(chaotic)
        for first in range(0, IMAGES, _AT_ONCE):
            made = f"make({first}, {_AT_ONCE}, bad={0 if first else BAD}, owner='{owner}')"
            chaotic.service.manage("shell", "-v", "0", "-c", f"from tests.chaos.world.run_images import make; {made}")
        run = call("POST", "", json={"missing": True, "renditions": ["thumb"], "failureLimit": 100})
        assert run["estimate"]["images"] == IMAGES
        path = f"/{run['runId']}"
        call("POST", f"{path}/confirm")
        steps = sorted(chance.sample(range(IMAGES // 20, IMAGES * 4 // 5), KILLS + 1))
        pause_at = chance.randrange(len(steps))
        for number, over in enumerate(steps):
            _wait_for(call, path, over)
            if number == pause_at:
                _pause_and_resume(chaotic, call, path)
            elif number % 2:
                kill_any(chaotic, "worker", chance)
            else:
                os.killpg(chaotic.service.pid, signal.SIGKILL)
                chaotic.service.kill()
                chaotic.service.start()
        upload = chaotic.send(photo())  # it is not held up by what is left
        wait_until(lambda: call("GET", path)["state"] == "finished", _LIMIT_S, "the end of the run")
        assert chaotic.service.finished(upload)["status"] == "done"
        counts = call("GET", path)["counts"]
        assert counts == {
            "total": IMAGES, "left": 0, "done": IMAGES - BAD, "skipped": 0, "failed": BAD, "rolledBack": 0
        }  # fmt: skip
        _assert_ledger_is_exact(chaotic)
        chaotic.assert_invariants()


def _pause_and_resume(chaotic: World, call: Any, path: str) -> None:
    call("POST", f"{path}/pause")
    wait_until(lambda: call("GET", path)["state"] == "paused", 60, "the pause")
    open_jobs = (
        "SELECT count(*) AS n FROM media_jobs_job WHERE run_id IS NOT NULL AND state IN ('queued', 'processing')"
    )
    assert chaotic.query(open_jobs)[0]["n"] == 0
    before = call("GET", path)["counts"]
    time.sleep(1.5)
    assert call("GET", path)["counts"] == before
    call("POST", f"{path}/resume")


def _assert_ledger_is_exact(chaotic: World) -> None:
    """Line by line: one for each image, its job as the line says, and one end of all its jobs that counts."""
    lines = chaotic.query(
        "SELECT i.original_id, i.state, i.code, j.state AS job_state, j.code AS job_code "
        "FROM media_jobs_runitem i JOIN media_jobs_job j ON j.id = i.job_id"
    )
    assert len(lines) == len({line["original_id"] for line in lines}) == IMAGES
    assert all((line["state"], line["code"]) == (line["job_state"], line["job_code"]) for line in lines)
    ends = chaotic.query(
        "SELECT j.original_id, e.type FROM media_jobs_jobevent e JOIN media_jobs_job j ON j.id = e.job_id "
        "JOIN media_jobs_runitem i ON i.original_id = j.original_id WHERE e.type IN ('done', 'failed')"
    )
    once = Counter(row["original_id"] for row in ends)
    assert len(once) == IMAGES
    assert set(once.values()) == {1}, "an image was done twice"


def _wait_for(call: Any, path: str, over: int) -> None:
    def reached() -> bool:
        counts = call("GET", path)["counts"]
        return bool(counts["done"] + counts["failed"] >= over)

    wait_until(reached, _LIMIT_S, f"{over} images")


def _caller(chaotic: World) -> tuple[Any, str]:
    """A function that calls /v1/runs, and whose images such runs are about."""
    scopes = ("--scope", "read", "--scope", "manage")
    key = chaotic.service.manage("apikey", "create", "runs", *scopes).strip()
    [made] = chaotic.query("SELECT prefix FROM media_jobs_apikey")

    def call(method: str, path: str, **kwargs: Any) -> Any:
        answer = httpx.request(
            method,
            f"{chaotic.service.url}/v1/runs{path}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
            **kwargs,
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    return call, f"key:{made['prefix']}"
