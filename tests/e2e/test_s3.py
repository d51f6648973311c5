"""The whole service on a bucket of a real S3 server, with a web process that may only write."""

from collections.abc import Iterator

import httpx
import pytest

from tests import images
from tests.e2e.client import process, upload
from tests.e2e.service import Service, running
from tests.seaweed import SeaweedFS

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def on_s3(seaweed: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {
        "S3_BUCKET": seaweed.bucket,
        "S3_ENDPOINT": seaweed.endpoint_url,
        "AWS_ACCESS_KEY_ID": seaweed.web[0],
        "AWS_SECRET_ACCESS_KEY": seaweed.web[1],
        "WORKER_AWS_ACCESS_KEY_ID": seaweed.worker[0],
        "WORKER_AWS_SECRET_ACCESS_KEY": seaweed.worker[1],
    }
    with running(tmp_path_factory.mktemp("s3") / "data", settings) as started:
        yield started


def test_a_picture_goes_all_the_way(on_s3: Service):
    photo = images.jpeg(2600, 1900, facts=images.CAMERA) + bytes(9_000_000)  # past one part
    job = process(on_s3.url, photo)
    assert [d["name"] for d in job["derivatives"]] == ["full", "medium", "small", "thumb"]
    for derivative in job["derivatives"]:
        fetched = httpx.get(derivative["url"])
        assert (fetched.status_code, len(fetched.content)) == (200, derivative["bytes"])
        assert fetched.headers["Content-Type"] == "image/jpeg"
        assert "immutable" in fetched.headers["Cache-Control"]


def test_nobody_reads_an_original_without_a_signed_link(on_s3: Service, seaweed: SeaweedFS):
    image = process(on_s3.url, images.jpeg())["imageId"]
    assert httpx.get(f"{seaweed.endpoint_url}/{seaweed.bucket}/originals/{image}.jpg").status_code == 403


def test_nothing_of_the_pictures_lies_on_the_hosts_own_disk(on_s3: Service):
    upload(on_s3.url, images.jpeg())
    assert not (on_s3.data / "objects").exists()
