"""The queue may stop, forget everything or come back without its file: the table knows what is left to do.

Also where workers are threads of the web process, whose requests need the queue at the same moments.
"""

import random
from collections.abc import Iterator

import pytest

from tests.chaos.world.harness import World, photos, repeatedly, scaled, world

UPLOADS = scaled(60, 100)
ROUNDS = scaled(1, 4)


@pytest.fixture(scope="module", params=["false", "true"], ids=["worker_process", "slots_in_the_web_process"])
def shaken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One service for all of it: its workers live through everything that their queue does, so leases may be long."""
    settings = {"LEASE_S": "60", "WORKERS_IN_WEB": request.param}
    with world(tmp_path_factory.mktemp("queue"), settings, own_valkey=True) as shaken:
        yield shaken


@pytest.fixture
def load(shaken: World) -> list[bytes]:
    return photos(UPLOADS * ROUNDS, large_every=20)


@pytest.fixture(autouse=True)
def nothing_is_lost(shaken: World) -> Iterator[None]:
    workers, before = shaken.service.pids("worker"), len(shaken.accepted)
    yield
    assert len(shaken.accepted) == before + UPLOADS * ROUNDS
    shaken.assert_all_done()
    assert shaken.service.pids("worker") == workers, "a worker had to be started again"
    assert {job["attempt"] for job in shaken.jobs().values()} == {1}, "what the queue did cost an attempt"
    assert not shaken.refusals
    shaken.assert_invariants()


def test_uploads_are_accepted_while_valkey_is_away_and_done_when_it_is_back(shaken, load):
    shaken.valkey.stop()
    half = len(load) // 2
    shaken.send_all(load[:half])
    with shaken.uploads(load[half:]):
        shaken.valkey.start()


def test_work_goes_on_when_valkey_is_restarted_under_load(shaken, load):
    def restart() -> None:
        shaken.valkey.stop()
        shaken.valkey.start()

    with shaken.uploads(load):
        repeatedly(restart, [random.uniform(0.2, 1.0) for _ in range(4 * ROUNDS)])


def test_work_goes_on_when_valkey_is_emptied_under_load(shaken, load):
    with shaken.uploads(load):
        repeatedly(shaken.valkey.empty, [random.uniform(0.1, 0.5) for _ in range(10 * ROUNDS)])


def test_work_goes_on_when_valkey_comes_back_without_its_file(shaken, load):
    def begin_anew() -> None:
        shaken.valkey.stop()
        shaken.valkey.lose_its_file()
        shaken.valkey.start()

    with shaken.uploads(load):
        repeatedly(begin_anew, [random.uniform(0.2, 1.0) for _ in range(4 * ROUNDS)])
