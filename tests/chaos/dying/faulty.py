"""A world whose service can be made to die, freeze or fail at chosen steps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.dying.crashing import PROGRAM, Faults, Point
from tests.chaos.world.harness import World, world
from tests.chaos.world.housekeeper import housekeeper

#: A dead worker is noticed within seconds, and a process that dies on purpose is no crash loop to slow down.
QUICK: Mapping[str, Any] = {
    "django.conf.settings.LEASE_S": 2,
    "media_jobs.runtime.children.QUICK_EXIT_S": 0,
    "media_jobs.runtime.workers.rq_worker._IDLE_WAIT_S": 1,
    "media_jobs.services.housekeeping.tasks.LEASES.every_s": 1,
}


@contextmanager
def faulty_world(
    tmp: Path,
    *points: Point,
    env: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    **how: Any,
) -> Iterator[tuple[World, Faults]]:
    """Run `harness.world` with a service that has these points. constants: on top of those that make it quick."""
    faults = Faults(tmp / "points", points, constants={**QUICK, **(constants or {})})
    with (
        world(tmp, {**faults.env, **(env or {})}, program=PROGRAM, **how) as made,
        housekeeper(made.service.env) as made.housekeeper,
    ):
        yield made, faults
