"""A web host and two worker hosts that share a database, a queue and a bucket, and no disk: one of them vanishes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.world import network
from tests.chaos.world.harness import photos, scaled
from tests.chaos.world.hosts import Farm, farm
from tests.e2e.service import wait_until

#: The web host's address lies in a network that ends on this machine.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", network.address(2)])

UPLOADS = scaled(100, 600)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Farm]:
    with farm(tmp_path) as made:
        yield made


def test_a_host_that_vanishes_for_ever_in_the_middle_of_its_work_costs_no_picture(hosts: Farm) -> None:
    alder, birch = hosts.workers
    with hosts.uploads(photos(UPLOADS)):
        in_hand = hosts.job_in_work(birch, "rendering")
        birch.vanish()
        birch.kill()
        hosts.lost = birch
    hosts.assert_all_done()
    assert len(hosts.accepted) == len(hosts.jobs()) >= UPLOADS
    assert not hosts.refusals
    assert hosts.claims(in_hand) == [birch.name, alder.name]
    hosts.assert_invariants()


@pytest.mark.parametrize("stage", ["rendering", "storing"])
def test_a_host_that_was_cut_off_harms_nothing_when_it_comes_back_and_works_again(hosts: Farm, stage: str) -> None:
    alder, birch = hosts.workers
    with hosts.uploads(photos(UPLOADS // 4)):
        in_hand = hosts.job_in_work(birch, stage)
        birch.vanish()
        birch.thaw()  # it goes on with its picture, and nobody hears of it
    hosts.assert_all_done()
    claims = hosts.claims(in_hand)
    assert (claims[0], claims[-1]) == (birch.name, alder.name)
    birch.come_back()
    alder.freeze()
    again = hosts.send_all(photos(3))
    wait_until(lambda: all(birch.name in hosts.claims(job) for job in again), 120, "work of the host that was cut off")
    alder.thaw()
    hosts.assert_all_done()
    hosts.assert_invariants()
