"""A full disk costs time, never a picture; when there is room again, all goes on by itself."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import boto3
import pytest

from tests.chaos.world.harness import World, photos, scaled, world
from tests.e2e.service import wait_until
from tests.servers.seaweed import SeaweedFS

DISK_MB = scaled(48, 160)
UPLOADS = scaled(20, 90)
FULL_FOR_S = scaled(6, 30)
_WAITING = "SELECT FROM media_jobs_job WHERE state = 'queued'"

#: Makes a disk of its own in `$0`, shows its folder at `$1`, and becomes the rest.
_WITH_DISK = (
    f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$0" && mkdir "$0/files" && mount --bind "$0/files" "$1" '
    '&& shift && exec "$@"'
)


@contextmanager
def world_with_disk(tmp: Path, folder: str, env: Mapping[str, str] | None = None) -> Iterator[World]:
    """A world in which one folder is on a small disk of its own: data/objects, data/work or tmp."""
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("needs root and the right to mount: a mount namespace of its own cannot be made")
    disk, target = tmp / "disk", tmp / folder
    for path in (disk, target):
        path.mkdir(parents=True)
    launcher = ("unshare", "-m", "sh", "-c", _WITH_DISK, str(disk), str(target))
    with world(tmp, {"MIN_FREE_DISK_MB": "4", **(env or {})}, launcher=launcher) as small:
        yield small


@contextmanager
def full(small: World, *, leaving_bytes: int = 0) -> Iterator[None]:
    """The disk has no more room than that, until the block ends."""
    ballast = Path(f"/proc/{small.service.pid}/root{small.service.data.parent}/disk/ballast")
    try:
        with ballast.open("wb", buffering=0) as file:
            with suppress(OSError):
                while True:
                    file.write(bytes(65_536))
            file.truncate(ballast.stat().st_size - leaving_bytes)
        yield
    finally:
        ballast.unlink()


@contextmanager
def stopped_workers(small: World) -> Iterator[None]:
    workers = small.service.pids("worker")
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


def test_uploads_are_refused_before_the_storage_is_full_and_accepted_when_there_is_room(tmp_path):
    with world_with_disk(tmp_path, "data/objects") as small:
        small.send_all(photos(3))
        small.assert_all_done()
        with full(small, leaving_bytes=3_000_000):
            answer = small.upload(photos(1)[0])
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
            assert int(answer.headers["Retry-After"]) > 0
            assert len(small.query("SELECT FROM media_jobs_original")) == 3
        assert small.upload(photos(1)[0]).status_code == 202
        small.assert_all_done()
        small.assert_invariants()


@pytest.mark.parametrize(("folder", "code"), [("data/objects", "storage_full"), ("data/work", "disk_full")])
def test_work_goes_on_by_itself_after_a_disk_was_full(tmp_path, folder, code):
    with world_with_disk(tmp_path, folder) as small:
        with ExitStack() as uploads, ExitStack() as disk:
            with stopped_workers(small):  # else they might have nothing to do just then
                uploads.enter_context(small.uploads(photos(UPLOADS, large_every=3)))
                wait_until(lambda: len(small.query(_WAITING)) >= 4, 60, "some work")
                disk.enter_context(full(small))
            met = lambda: code in {event["data"].get("code") for event in small.history()}  # noqa: E731
            wait_until(met, 60, "somebody to meet the full disk")
            time.sleep(FULL_FOR_S)
            disk.close()
        small.assert_all_done()
        assert set(small.refusals) <= {(503, "storage_full")}
        assert max(job["attempt"] for job in small.jobs().values()) <= 3, "workers go on as if nothing were"
        small.assert_invariants()


def test_an_upload_to_s3_is_refused_while_the_disk_of_temporary_files_is_full(tmp_path, seaweed):
    settings = {
        "S3_BUCKET": seaweed.bucket,
        "S3_ENDPOINT": seaweed.endpoint_url,
        "AWS_ACCESS_KEY_ID": seaweed.worker[0],
        "AWS_SECRET_ACCESS_KEY": seaweed.worker[1],
    }
    photo = photos(1)[0] + bytes(12_000_000)  # past one part
    before = stored_keys(seaweed)
    with world_with_disk(tmp_path, "tmp", settings) as small:
        small.send(photo)  # from then on Python keeps to this directory
        with full(small):
            answer = small.upload(photo)
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
            assert int(answer.headers["Retry-After"]) > 0
        small.send(photo)
        small.assert_all_done()
        small.service.manage("housekeeping", "--older-than", "0")
        named = small.query("SELECT key FROM media_jobs_original UNION ALL SELECT key FROM media_jobs_derivative")
        assert len(named) == 2 + 2 * 4
        assert stored_keys(seaweed) - before == {row["key"] for row in named}


def stored_keys(seaweed: SeaweedFS) -> set[str]:
    client = boto3.client(
        "s3",
        endpoint_url=seaweed.endpoint_url,
        aws_access_key_id=seaweed.worker[0],
        aws_secret_access_key=seaweed.worker[1],
        region_name="us-east-1",
    )
    with closing(client):
        return {found["Key"] for found in client.list_objects_v2(Bucket=seaweed.bucket).get("Contents", [])}
