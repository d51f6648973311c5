"""A transaction of an upload that fails at its end leaves nothing: no job, and after housekeeping no object."""

import sqlite3
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.chaos.dying.crashing import Fault, Faults, Point
from tests.chaos.dying.faulty import faulty_world
from tests.chaos.world.harness import World
from tests.e2e.service import photo

POINTS = (
    Point("before the event", "media_jobs.services.jobs.transitions.record", "web", fault=Fault.FAIL),
    Point("after the event", "media_jobs.services.jobs.transitions.record", "web", after=True, fault=Fault.FAIL),
)


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def faulty(request, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Faults]]:
    env = {"WORKERS": "1", **({"DATABASE_URL": ""} if request.param == "sqlite" else {})}
    with faulty_world(tmp_path_factory.mktemp("rollback"), *POINTS, env=env) as made:
        yield made


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name.replace(" ", "_"))
def test_an_upload_whose_transaction_fails_leaves_nothing(faulty, point):
    world, faults = faulty
    picture, key = photo(), uuid4().hex
    before = count(world, "job"), objects(world)
    faults.arm(point.name)
    assert world.upload(picture, key=key).status_code == 500
    assert faults.has_happened(point.name)
    assert count(world, "job") == before[0]
    world.keep_house()
    assert objects(world) == before[1]
    assert '"job_done"' not in world.service.logs
    assert count(world, "original") == count(world, "idempotencykey") == 0


def objects(world: World) -> set[str]:
    folder = world.service.data / "objects"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def count(world: World, table: str) -> int:
    statement = f"SELECT count(*) AS n FROM media_jobs_{table}"
    if world.service.env["DATABASE_URL"]:
        return int(world.query(statement)[0]["n"])
    with sqlite3.connect(world.service.data / "gallimg.sqlite3") as connection:
        return int(connection.execute(statement).fetchone()[0])
