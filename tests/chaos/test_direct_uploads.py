"""Between any two steps of a direct upload the process dies; the picture is done, once, and is what was stored."""

from collections.abc import Iterator

import httpx
import pytest

from tests.chaos.dying.crashing import Faults, Point
from tests.chaos.dying.faulty import faulty_world
from tests.chaos.world.harness import World
from tests.e2e.service import photo

_BEGIN = "media_jobs.services.uploads.direct_uploads"
_PROMOTION = "media_jobs.services.uploads.promotion._Promotion"

#: All that the web process does, in this order.
WEB = (
    Point("row of the upload written, no form", "media_jobs.adapters.storage.files.FileStore.form", "web"),
    Point("form made, not sent", f"{_BEGIN}.begin", "web", after=True),
    Point("before the original is staged", f"{_BEGIN}.accept_rows", "web"),
    Point("in the transaction, original staged", f"{_BEGIN}.intake.create_job", "web"),
    Point("in the transaction, upload used", f"{_BEGIN}.accept_rows", "web", after=True),
    Point("accepted, nobody woken", "media_jobs.services.jobs.dispatch.notify", "web"),
    Point("accepted, not answered", f"{_BEGIN}.accept", "web", after=True),
)
#: All that a worker does before it renders.
WORKER = (
    Point("nothing fetched", f"{_PROMOTION}.run", "worker"),
    Point("fetched and checked", f"{_PROMOTION}._arrived", "worker", after=True),
    Point("pinned", f"{_PROMOTION}._pin", "worker", after=True),
    Point("stored as an original", f"{_PROMOTION}._keep", "worker", after=True),
    Point("active, upload not deleted", f"{_PROMOTION}._activate", "worker", after=True),
    Point("upload deleted", f"{_PROMOTION}.run", "worker", after=True),
)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Faults]]:
    with faulty_world(tmp_path_factory.mktemp("direct"), *WEB, *WORKER, env={"WORKERS": "1"}) as made:
        yield made


def retry_on_disconnect(url: str, **how: object) -> httpx.Response:
    """Send once more where the server died."""
    for _ in range(20):
        try:
            return httpx.post(url, timeout=60, **how)  # type: ignore[arg-type]
        except httpx.TransportError:
            continue
    pytest.fail("it does not come back")


def upload(world: World, content: bytes) -> str:
    """The id of its job."""
    url = world.service.url
    opened = retry_on_disconnect(
        f"{url}/v1/uploads", json={"filename": "photo.jpg", "contentType": "image/jpeg"}
    ).json()
    stored = retry_on_disconnect(opened["url"], data=opened["fields"], files={"file": ("photo.jpg", content)})
    assert stored.status_code == 204, stored.text
    key = {"Idempotency-Key": opened["uploadId"]}
    answer = retry_on_disconnect(f"{url}/v1/images", json={"uploadId": opened["uploadId"]}, headers=key)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


@pytest.mark.parametrize("point", [*WEB, *WORKER], ids=lambda point: point.name.replace(" ", "_"))
def test_a_direct_upload_is_done_once_wherever_a_process_dies(faulty: tuple[World, Faults], point: Point) -> None:
    world, faults = faulty
    before = world.jobs().keys()
    faults.arm(point.name)
    job = upload(world, photo())
    world.accepted.append(job)
    world.assert_all_done()
    assert faults.has_happened(point.name)
    assert world.jobs().keys() - before == {job}
    world.assert_invariants()
