"""Between any two steps of taking a picture in, processing and comparing it the process dies; all is done, once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.chaos.dying.crashing import Faults, Point
from tests.chaos.dying.faulty import faulty_world
from tests.chaos.world.harness import SETTLE_LIMIT_S, World, scaled
from tests.e2e.service import photo, wait_until

_INTAKE = "media_jobs.services.uploads.intake"
_FILES = "media_jobs.adapters.storage.files"
_WORK = "media_jobs.services.jobs.processing"
_ATTEMPT = "media_jobs.services.jobs.attempt.Attempt"
_PUBLISHING = "media_jobs.services.jobs.publishing"
_CUTOVER = "media_jobs.services.cutover"
_METRICS = "media_jobs.services.metrics"

#: All that the web process does with an upload, in this order.
INTAKE = (
    Point("before anything", f"{_INTAKE}.Upload.__init__", "web"),
    Point("no object begun", f"{_FILES}.FileStore.begin", "web"),
    Point("object begun, nothing written", f"{_FILES}.FileStore.begin", "web", after=True),
    Point("first part written", f"{_FILES}.FileWriter.write", "web", after=True),
    Point("later part written", f"{_FILES}.FileWriter.write", "web", after=True, nth=3),
    Point("all written, object not committed", f"{_FILES}.FileWriter.commit", "web"),
    Point("object committed, no transaction", f"{_FILES}.FileWriter.commit", "web", after=True),
    Point("in the transaction, before the job", f"{_INTAKE}.create_job", "web"),
    Point("in the transaction, after the job", f"{_INTAKE}.create_job", "web", after=True),
    Point("in the transaction, after the answer", "media_jobs.services.idempotency._remember", "web", after=True),
    Point("committed, no worker woken", "media_jobs.services.jobs.dispatch.notify", "web"),
    Point("worker woken, not answered", "media_jobs.services.jobs.dispatch.notify", "web", after=True),
    Point("answer made, not sent", "media_jobs.api.shared.readiness.accepted", "web", after=True),
)

#: All that a worker does with a job, in this order, and how many attempts the job has taken when it is done.
PROCESSING = (
    (Point("woken, nothing claimed", f"{_WORK}.claim_next", "worker"), 1),
    (Point("claimed", f"{_WORK}.claim_next", "worker", after=True), 2),
    (Point("before the original is fetched", f"{_FILES}.FileStore.fetch", "worker"), 2),
    (Point("original fetched", f"{_FILES}.FileStore.fetch", "worker", after=True), 2),
    (Point("before rendering is entered", f"{_ATTEMPT}._enter", "worker"), 2),
    (Point("rendering entered", f"{_ATTEMPT}._enter", "worker", after=True), 2),
    (Point("before the picture is rendered", "media_jobs.adapters.decoder.sandbox.Sandbox.render", "worker"), 2),
    (Point("in the middle of rendering", f"{_ATTEMPT}._note_output", "worker", nth=2), 2),
    (Point("rendered", "media_jobs.adapters.decoder.sandbox.Sandbox.render", "worker", after=True), 2),
    (Point("storing entered", f"{_ATTEMPT}._enter", "worker", after=True, nth=2), 2),
    (Point("before the rows are staged", f"{_PUBLISHING}.stage", "worker"), 2),
    (Point("names reserved, no rows", "media_jobs.services.object_deletion.reserve", "worker", after=True), 2),
    (Point("rows staged", f"{_PUBLISHING}.stage", "worker", after=True), 2),
    (Point("before the first object", f"{_FILES}.FileStore._put", "worker"), 2),
    (Point("first object stored", f"{_FILES}.FileStore._put", "worker", after=True), 2),
    (Point("before the last object", f"{_FILES}.FileStore._put", "worker", nth=4), 2),
    (Point("last object stored", f"{_FILES}.FileStore._put", "worker", after=True, nth=4), 2),
    (Point("before publishing", f"{_PUBLISHING}.publish", "worker"), 2),
    (Point("in the transaction that publishes", f"{_PUBLISHING}._make_current", "worker"), 2),
    (Point("published", f"{_PUBLISHING}.publish", "worker", after=True), 1),
    (Point("before the next is claimed", f"{_WORK}._make", "worker", after=True), 1),
    (Point("at the end of a wake-up", f"{_WORK}.process_lane", "worker", after=True), 1),
)

#: All that a worker does with a shadow beside its job, in this order.
SHADOWING = (
    Point("shadow taken", f"{_CUTOVER}.holding.take", "worker", after=True),
    Point("site's original fetched", f"{_CUTOVER}.fetching.legacy.fetch", "worker", after=True),
    Point("site's original copied, no rows", f"{_CUTOVER}.fetching._write_rows", "worker"),
    Point("in the transaction that queues", f"{_CUTOVER}.fetching.tagging.add", "worker", after=True),
    Point("shadow's job queued, nobody woken", f"{_CUTOVER}.fetching._write_rows", "worker", after=True),
    Point("shadow found to be due", f"{_CUTOVER}.working.comparing.compare", "worker"),
    Point("site's last size fetched", f"{_CUTOVER}.comparing._fetch_theirs", "worker", after=True, nth=4),
    Point("measured, no verdict", f"{_CUTOVER}.comparing._end", "worker"),
    Point("verdict written", f"{_CUTOVER}.comparing._end", "worker", after=True),
)

#: All that a worker does so that `/metrics` can tell of it.
COUNTING = (
    Point("before a worker says that it lives", f"{_METRICS}.presence.report", "worker"),
    Point("lives, restarts not counted", f"{_METRICS}.presence.report_restarts", "worker"),
    Point("lines removed, sums not written", f"{_METRICS}.ledger._write", "worker"),
    Point("sums written, not committed", f"{_METRICS}.ledger._write", "worker", after=True),
)

#: So that each of them is met within seconds.
QUICK = {
    "media_jobs.services.cutover.holding._HOLD_S": 2.0,
    "media_jobs.services.housekeeping.counted._FEW": 0,
    "media_jobs.services.housekeeping.tasks.METRICS.every_s": 1,
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Faults]]:
    """One worker, whose steps can therefore be counted, and one wake-up at a time: the next job needs another one."""
    points = (*INTAKE, *(point for point, _ in PROCESSING), *SHADOWING, *COUNTING)
    (site := tmp_path_factory.mktemp("site")).joinpath("gall").mkdir()
    env = {"WORKERS": "1", "QUEUE_SIZE": "1", "LEGACY_FOLDER": str(site), "SHADOW_GRACE_MINUTES": "0"}
    with faulty_world(tmp_path_factory.mktemp("crashes"), *points, env=env, constants=QUICK) as made:
        yield made


@pytest.mark.parametrize("point", INTAKE, ids=lambda point: point.name.replace(" ", "_"))
def test_an_upload_is_taken_in_once_wherever_the_web_process_dies(faulty, point):
    world, faults = faulty
    before, picture, key = world.jobs().keys(), photo(2000, 1500), uuid4().hex
    faults.arm(point.name)
    with pytest.raises(httpx.TransportError):
        world.upload(picture, key=key)
    assert faults.has_happened(point.name)
    accepted = {world.send(picture, key=key) for _ in range(2)}
    world.assert_all_done()
    assert world.jobs().keys() - before == accepted
    assert len(accepted) == 1
    world.assert_invariants()


@pytest.mark.parametrize(
    ("point", "attempts"), PROCESSING, ids=[point.name.replace(" ", "_") for point, _ in PROCESSING]
)
def test_a_job_is_done_once_wherever_its_worker_dies(faulty, point, attempts):
    world, faults = faulty
    faults.arm(point.name)
    jobs = [world.send(photo()) for _ in range(scaled(3, 10))]  # the others wait behind it
    world.assert_all_done()
    assert faults.has_happened(point.name)
    taken = [world.jobs()[job]["attempt"] for job in jobs]
    assert Counter(taken) == Counter([1] * (len(jobs) - 1) + [attempts])
    for job in jobs:
        kinds = Counter(event["type"] for event in world.history(job))
        assert (kinds["claimed"], kinds["done"]) == (world.jobs()[job]["attempt"], 1)
    world.assert_invariants()


@pytest.mark.parametrize("point", SHADOWING, ids=lambda point: point.name.replace(" ", "_"))
def test_a_shadow_comes_to_one_verdict_wherever_its_worker_dies(faulty, point):
    world, faults = faulty
    before, picture, key = world.jobs().keys(), photo(640, 480), f"gall/{uuid4().hex}_original.jpg"
    folder = Path(world.service.env["LEGACY_FOLDER"])
    for size in ("original", "small", "medium", "large", "xlarge"):
        (folder / key.replace("_original", f"_{size}")).write_bytes(picture)
    faults.arm(point.name)
    asked = httpx.post(f"{world.service.url}/v1/shadow", json={"key": key}, headers=world.service.headers, timeout=60)
    assert asked.status_code == 202, asked.text
    shadow = "SELECT state, verdict, worker, job_id FROM media_jobs_shadow WHERE legacy_key = %s"
    wait_until(lambda: world.query(shadow, key)[0]["state"] in ("compared", "failed"), SETTLE_LIMIT_S, "a verdict")
    assert faults.has_happened(point.name)
    [found] = world.query(shadow, key)
    assert (found["state"], found["worker"], found["verdict"] != "") == ("compared", "", True)
    assert world.jobs().keys() - before == {str(found["job_id"])}
    world.assert_all_done()
    world.assert_invariants()


@pytest.mark.parametrize("point", COUNTING, ids=lambda point: point.name.replace(" ", "_"))
def test_what_metrics_tell_is_what_the_tables_say_wherever_a_worker_dies(faulty, point):
    world, faults = faulty
    faults.arm(point.name)
    world.send(photo())
    wait_until(lambda: faults.has_happened(point.name), SETTLE_LIMIT_S, point.name)
    world.assert_all_done()
    world.assert_invariants()
