"""What goes to S3 with an upload, and what is left of one that fails."""

import hashlib
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from media_jobs.adapters import storage
from media_jobs.adapters.storage import Role
from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.adapters.storage.s3_calls import CallLimits
from media_jobs.adapters.storage.s3_checksums import PartChecksum
from media_jobs.callers import ANONYMOUS
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Original
from media_jobs.pipeline.formats.sniff import sniff
from media_jobs.services import housekeeping
from media_jobs.services.uploads import intake
from media_jobs.states import OriginalState
from tests import images
from tests.adapters.storage.stores import LARGE, PART, SMALL, noise, s3_store, write
from tests.faults.injections import Fault, Injection
from tests.faults.messages import Operation
from tests.faults.proxy import FaultyProxy
from tests.servers.seaweed import SeaweedFS
from tests.services.jobs.threads import InThread

ALWAYS = None


@pytest.fixture
def proxy(seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))  # between its attempts
    with FaultyProxy(seaweed.endpoint_url) as listening:
        yield listening


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the parts of uploads that wait on the disk."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def count() -> int:
        assert list(tmp_path.iterdir()) == []  # none has a name
        found = 0
        for opened in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile, such as that of the listing itself
                found += str(opened.readlink()).startswith(str(tmp_path))
        return found

    return count


@pytest.fixture(params=PartChecksum)
def store(request: pytest.FixtureRequest, seaweed: SeaweedFS, proxy: FaultyProxy) -> Iterator[S3Store]:
    """A web process's store, with credentials that only write."""
    made = S3Store(
        seaweed.bucket,
        credentials=seaweed.web,
        region="us-east-1",
        endpoint_url=proxy.endpoint_url,
        part_checksum=request.param,
    )
    yield made
    made.client.close()


@pytest.fixture
def worker(seaweed: SeaweedFS) -> Iterator[S3Store]:
    made = s3_store(seaweed)
    yield made
    made.sweep(older_than_s=0)
    made.client.close()


@pytest.fixture
def key() -> str:
    return f"originals/{uuid4()}.jpg"


def head(worker: S3Store, key: str) -> Any:
    return worker.client.head_object(Bucket=worker.bucket, Key=key, ChecksumMode="ENABLED")


def stored(worker: S3Store, key: str) -> bytes:
    return bytes(worker.client.get_object(Bucket=worker.bucket, Key=key)["Body"].read())


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


# --- what goes with it ----------------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [1, SMALL, PART, PART + 1, LARGE])
def test_an_object_has_our_bytes_and_nothing_else(store: S3Store, worker: S3Store, key: str, size_bytes: int) -> None:
    write(store, key, noise(size_bytes)).commit()
    assert stored(worker, key) == noise(size_bytes)


@pytest.mark.parametrize("size_bytes", [SMALL, LARGE])
def test_an_original_is_for_nobody_to_keep_and_is_saved_under_its_name(
    store: S3Store, worker: S3Store, key: str, size_bytes: int
) -> None:
    write(store, key, noise(size_bytes), content_type="image/png").commit()
    found = head(worker, key)
    assert found["ContentType"] == "image/png"
    assert found["CacheControl"] == "private, no-store"
    assert found["ContentDisposition"] == f'attachment; filename="{key.removeprefix("originals/")}"'


@pytest.mark.parametrize("size_bytes", [SMALL, LARGE])
def test_a_derivative_may_be_kept_for_ever_and_is_shown(worker: S3Store, size_bytes: int) -> None:
    image = uuid4()
    write(worker, f"full/{image}/abc.webp", noise(size_bytes), content_type="image/webp").commit()
    found = head(worker, f"full/{image}/abc.webp")
    assert found["CacheControl"] == "public, max-age=31536000, immutable"
    assert found["ContentDisposition"] == f'inline; filename="{image}-full.webp"'


def test_the_sha256_stays_with_a_small_object(store: S3Store, worker: S3Store, key: str) -> None:
    write(store, key, noise(SMALL)).commit()
    assert head(worker, key)["ChecksumSHA256"] == b64encode(sha256(noise(SMALL))).decode()


@pytest.mark.parametrize("store", [PartChecksum.SHA256], indirect=True)
def test_that_of_its_parts_stays_with_a_large_one(store: S3Store, worker: S3Store, key: str) -> None:
    content = noise(LARGE)
    write(store, key, content).commit()
    parts = [sha256(content[start : start + PART]) for start in range(0, LARGE, PART)]
    assert head(worker, key)["ChecksumSHA256"] == f"{b64encode(sha256(b''.join(parts))).decode()}-{len(parts)}"


def test_parts_leave_while_the_upload_still_comes_in(store: S3Store, proxy: FaultyProxy, key: str) -> None:
    writer = store.begin(key, content_type="image/jpeg")
    writer.write(noise(3 * PART + 1))
    for sent in writer._sent:
        sent.result()
    assert proxy.calls[Operation.UPLOAD_PART] == 3
    writer.abort()


def test_a_small_file_is_one_request(store: S3Store, proxy: FaultyProxy, key: str) -> None:
    write(store, key, noise(PART)).commit()
    assert proxy.calls == {Operation.PUT_OBJECT: 1}


# --- damage on the way ----------------------------------------------------------------------------


@pytest.mark.parametrize(("size_bytes", "call"), [(SMALL, Operation.PUT_OBJECT), (LARGE, Operation.UPLOAD_PART)])
def test_bytes_that_were_damaged_on_their_way_are_sent_again(
    store: S3Store, worker: S3Store, proxy: FaultyProxy, key: str, size_bytes: int, call: Operation
) -> None:
    damage = proxy.inject(Injection(Fault.DAMAGED_REQUEST, call))
    write(store, key, noise(size_bytes)).commit()
    assert damage.happened == 1
    assert stored(worker, key) == noise(size_bytes)


@pytest.mark.parametrize(("size_bytes", "call"), [(SMALL, Operation.PUT_OBJECT), (LARGE, Operation.UPLOAD_PART)])
@pytest.mark.slow
def test_bytes_that_always_arrive_damaged_are_never_an_object(
    store: S3Store, worker: S3Store, proxy: FaultyProxy, key: str, size_bytes: int, call: Operation
) -> None:
    proxy.inject(Injection(Fault.DAMAGED_REQUEST, call, times=ALWAYS))
    with pytest.raises(StorageUnavailable):
        write(store, key, noise(size_bytes)).commit()
    assert list(worker.keys(key)) == []
    assert key not in worker.unfinished()


@pytest.mark.parametrize("attempts", [1, 4])
def test_they_are_sent_as_often_as_the_limits_say(
    seaweed: SeaweedFS, proxy: FaultyProxy, key: str, attempts: int
) -> None:
    proxy.inject(Injection(Fault.DAMAGED_REQUEST, Operation.PUT_OBJECT, times=ALWAYS))
    limited = s3_store(seaweed, endpoint_url=proxy.endpoint_url, limits=CallLimits(attempts=attempts))
    with pytest.raises(StorageUnavailable):
        write(limited, key, noise(SMALL)).commit()
    limited.client.close()
    assert proxy.calls[Operation.PUT_OBJECT] == attempts


# --- failures -------------------------------------------------------------------------------------


def test_an_abort_does_not_wait_for_the_parts_of_other_uploads(
    worker: S3Store, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    with ThreadPoolExecutor(1) as senders:
        senders.submit(done.wait, 60)
        monkeypatch.setattr(worker, "_senders", senders)
        writer = write(worker, key, noise(LARGE))
        try:
            InThread(writer.abort).ended()
        finally:
            done.set()
    assert key not in worker.unfinished()


@pytest.mark.parametrize("fault", [Fault.INTERNAL_ERROR, Fault.RESET, Fault.DENIED])
@pytest.mark.parametrize("call", [Operation.CREATE_UPLOAD, Operation.UPLOAD_PART, Operation.COMPLETE_UPLOAD])
@pytest.mark.parametrize("store", [PartChecksum.SHA256], indirect=True)
def test_an_upload_that_fails_leaves_neither_object_nor_parts_nor_files(
    store: S3Store,
    worker: S3Store,
    proxy: FaultyProxy,
    parts: Callable[[], int],
    key: str,
    call: Operation,
    fault: Fault,
) -> None:
    proxy.inject(Injection(fault, call, times=ALWAYS))
    with pytest.raises(StorageUnavailable):
        write(store, key, noise(LARGE)).commit()
    assert key not in worker.unfinished()
    assert list(worker.keys(key)) == []
    assert parts() == 0


@pytest.mark.parametrize("size_bytes", [SMALL, LARGE, 5 * PART])
@pytest.mark.parametrize("ending", ["commit", "abort"])
@pytest.mark.slow
def test_files_of_parts_are_closed_however_an_upload_ends(
    store: S3Store, parts: Callable[[], int], key: str, size_bytes: int, ending: str
) -> None:
    writer = write(store, key, noise(size_bytes))
    assert parts() >= 1
    getattr(writer, ending)()
    writer.abort()
    assert parts() == 0


@pytest.mark.parametrize("store", [PartChecksum.SHA256], indirect=True)
def test_what_an_abort_that_fails_leaves_is_swept(
    store: S3Store, worker: S3Store, proxy: FaultyProxy, key: str
) -> None:
    proxy.inject(Injection(Fault.INTERNAL_ERROR, Operation.ABORT_UPLOAD, times=ALWAYS))
    writer = write(store, key, noise(LARGE))
    writer.abort()
    assert worker.unfinished().count(key) == 1
    worker.sweep(older_than_s=0)
    assert worker.unfinished().count(key) == 0


@pytest.mark.parametrize("store", [PartChecksum.SHA256], indirect=True)
def test_a_creation_whose_answer_is_lost_is_swept(
    store: S3Store, worker: S3Store, proxy: FaultyProxy, key: str
) -> None:
    proxy.inject(Injection(Fault.LOST, Operation.CREATE_UPLOAD))
    write(store, key, noise(LARGE)).commit()
    assert worker.unfinished().count(key) == 1  # nobody knows its id
    worker.sweep(older_than_s=0)
    assert worker.unfinished().count(key) == 0
    assert stored(worker, key) == noise(LARGE)


# --- an end whose answer is lost ------------------------------------------------------------------


@pytest.mark.parametrize(("size_bytes", "call"), [(SMALL, Operation.PUT_OBJECT), (LARGE, Operation.COMPLETE_UPLOAD)])
def test_an_end_whose_answer_is_lost_is_asked_for_again(
    store: S3Store, worker: S3Store, proxy: FaultyProxy, key: str, size_bytes: int, call: Operation
) -> None:
    proxy.inject(Injection(Fault.LOST, call))
    write(store, key, noise(size_bytes)).commit()
    assert proxy.calls[call] == 2
    assert stored(worker, key) == noise(size_bytes)
    assert key not in worker.unfinished()


@pytest.mark.django_db(transaction=True)
def test_an_object_that_came_to_be_unheard_of_is_removed_by_a_worker(
    seaweed: SeaweedFS, worker: S3Store, proxy: FaultyProxy
) -> None:
    proxy.inject(Injection(Fault.LOST, Operation.COMPLETE_UPLOAD))
    proxy.inject(Injection(Fault.NO_UPLOAD, Operation.COMPLETE_UPLOAD))  # what others than SeaweedFS say from then on
    photo = images.jpeg() + noise(LARGE)
    with override_settings(
        S3_BUCKET=seaweed.bucket,
        S3_ENDPOINT_URL=proxy.endpoint_url,
        S3_WEB_CREDENTIALS=seaweed.web,
        S3_WORKER_CREDENTIALS=seaweed.worker,
    ):
        upload = intake.Upload(sniff(photo[:4096]), filename="a.jpg", caller=ANONYMOUS)
        upload.write(photo)
        with pytest.raises(StorageUnavailable):
            upload.commit()
        upload.abort()
        assert stored(worker, upload.original.key) == photo
        assert Original.objects.get().state == OriginalState.DELETED
        housekeeping.run()
        assert not Original.objects.exists()
        assert list(worker.keys(upload.original.key)) == []
        for role in (Role.WEB, Role.WORKER):
            storage.store(role).client.close()  # type: ignore[attr-defined]
