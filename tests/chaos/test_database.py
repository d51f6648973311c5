"""The database goes away in the middle of a step: nothing is lost, and nothing is done twice."""

import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.chaos.dying.cutting_proxy import Cut, CuttingProxy, Moment
from tests.chaos.dying.faulty import faulty_world
from tests.chaos.world.harness import World, photos, repeatedly, scaled, world
from tests.e2e.service import photo, wait_until

#: How each of the three transactions is recognised: by a statement that no other one has.
CLAIM = r"""UPDATE "media_jobs_job" SET ((?!WHERE).)*"state" = 'processing'"""
FINISH = r"""UPDATE "media_jobs_job" SET ((?!WHERE).)*"state" = 'done'"""
UPLOAD = r'INSERT INTO "media_jobs_job" '
COMMIT = r"^Q....COMMIT"


class Cuttable(NamedTuple):
    world: World
    proxy: CuttingProxy

    def cut(self, moment: Moment, where: str, at: str) -> Cut:
        return self.proxy.cut(moment, where, then=COMMIT if at == "commit" else "")


@pytest.fixture(scope="module")
def cuttable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cuttable]:
    """A service that reaches its database through a proxy."""
    made: list[CuttingProxy] = []

    def through(url: str) -> str:
        made.append(CuttingProxy(url))
        return made[0].url

    long_leases = {"django.conf.settings.LEASE_S": 60}  # no job is saved by its lease
    folder = tmp_path_factory.mktemp("cut")
    with faulty_world(folder, reach=through, env={"WORKERS": "1"}, constants=long_leases) as (world, _):
        yield Cuttable(world, made[0])
    made[0].close()


#: When and where in the transaction the connection goes.
CUTS = [pytest.param(*cut, id="_".join(cut)) for cut in product(Moment, ("statement", "commit"))]


@pytest.mark.parametrize(("moment", "at"), CUTS)
@pytest.mark.parametrize("where", [pytest.param(CLAIM, id="claim"), pytest.param(FINISH, id="finish")])
def test_a_job_is_done_once_though_its_worker_loses_the_database(cuttable, where, moment, at):
    world = cuttable.world
    workers = world.service.pids("worker")
    cut = cuttable.cut(moment, where, at)
    jobs = [world.send(photo()) for _ in range(3)]
    world.assert_all_done()
    assert cut.done.is_set()
    assert world.service.pids("worker") == workers
    for job in jobs:
        kinds = Counter(event["type"] for event in world.history(job))
        assert (kinds["claimed"], kinds["done"]) == (1, 1)  # it costs no attempt
    world.assert_invariants()


@pytest.mark.parametrize(("moment", "at"), CUTS)
def test_an_upload_that_loses_the_database_can_be_sent_again(cuttable, moment, at):
    world = cuttable.world
    before, picture, key = world.jobs().keys(), photo(), uuid4().hex
    cut = cuttable.cut(moment, UPLOAD, at)
    first = world.upload(picture, key=key)
    assert cut.done.is_set()
    assert first.status_code == 503, first.text
    assert int(first.headers["Retry-After"]) > 0
    accepted = {world.send(picture, key=key) for _ in range(2)}
    world.assert_all_done()
    assert world.jobs().keys() - before == accepted
    assert len(accepted) == 1
    world.assert_invariants()


@pytest.mark.parametrize(
    ("how", "in_web"),
    [
        pytest.param(signal.SIGINT, "true", id="in_order-slots_in_the_web_process"),
        pytest.param(signal.SIGQUIT, "false", id="as_after_a_crash"),
    ],
)
def test_nothing_is_lost_or_doubled_when_the_database_restarts_under_load(tmp_path, how, in_web):
    with world(tmp_path, {"WORKERS_IN_WEB": in_web}, own_postgres=True) as made:
        workers = made.service.pids("worker")

        def send(content: bytes) -> "Future[str]":
            return pool.submit(made.send, content, key=uuid4().hex)

        def restart() -> None:
            made.postgres.stop(how)
            before = made.refusals.total()
            sent.append(send(photos(1)[0]))  # all others may be done
            wait_until(lambda: made.refusals.total() > before, 60, "an upload that meets it")
            made.postgres.start()

        with ThreadPoolExecutor(4) as pool:
            sent = [send(content) for content in photos(scaled(100, 600))]
            repeatedly(restart, [1.5] * scaled(2, 10))
            accepted = {one.result() for one in sent}
        assert made.refusals.keys() == {(503, "database_unavailable")}
        made.assert_all_done()
        assert len(accepted) == len(sent)
        assert made.jobs().keys() == accepted
        assert made.service.pids("worker") == workers
        made.assert_invariants()
