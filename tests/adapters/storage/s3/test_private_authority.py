"""A storage whose certificate an authority of one's own has signed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from media_jobs.adapters.bucket.answers import BucketError
from media_jobs.adapters.bucket.probes import AnonymousClient
from media_jobs.adapters.storage import Role, s3, store
from media_jobs.adapters.storage.s3_connection import bucket_url
from media_jobs.errors import StorageUntrusted
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.services import bucket
from tests.servers import seaweed as servers
from tests.servers.certificates import Authority, tls_relay
from tests.servers.seaweed import SeaweedFS


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: no test in here is about time."""
    monkeypatch.setattr(s3, "_CHECK_LIMIT_S", 120.0)


@pytest.fixture
def authority(seaweed: SeaweedFS, tmp_path: Path, settings: Any) -> Iterator[Authority]:
    """That of the storage, which nobody trusts yet."""
    found = Authority(tmp_path)
    with tls_relay(urlsplit(seaweed.endpoint_url).port or 0, found.context("127.0.0.1")) as port:
        servers.use(seaweed, settings)
        settings.S3_ADMIN_CREDENTIALS = seaweed.admin
        settings.S3_ENDPOINT_URL = f"https://127.0.0.1:{port}"
        yield found
        for role in (Role.WEB, Role.WORKER):
            store(role).client.close()  # type: ignore[attr-defined]


def world(settings: Any) -> AnonymousClient:
    return AnonymousClient(bucket_url(settings.S3_BUCKET, region="us-east-1", endpoint_url=settings.S3_ENDPOINT_URL))


def test_it_is_refused_by_its_name_until_the_authority_is(authority: Authority, settings: Any) -> None:
    with pytest.raises(StorageUntrusted):
        store(Role.WEB).check()
    with pytest.raises(StorageUnusable, match="certificate is not trusted by this host; AWS_CA_BUNDLE"):
        probe_storage(Role.WEB)
    with pytest.raises(BucketError, match="certificate is not trusted"):
        list(bucket.setup(public=True, dry_run=True))
    with pytest.raises(BucketError, match="certificate is not trusted"):
        world(settings).may("GET", "originals/absent")


@pytest.mark.slow
def test_it_is_trusted_with_it_everywhere(authority: Authority, settings: Any) -> None:
    settings.S3_CA_BUNDLE = str(authority.file)
    store(Role.WEB).check()
    probe_storage(Role.WEB, Role.WORKER)
    assert "bucket" in {item.name for item in bucket.setup(public=True, dry_run=True)}
    assert not world(settings).may("GET", "originals/absent")
    assert not store(Role.WEB).exists("full/absent.jpg")  # which asks without credentials, in the end


def test_what_speaks_no_tls_is_named(seaweed: SeaweedFS, settings: Any) -> None:
    servers.use(seaweed, settings)
    settings.S3_ENDPOINT_URL = seaweed.endpoint_url.replace("http://", "https://")
    with pytest.raises(StorageUnusable, match="it does not speak TLS; S3_USE_SSL=false"):
        probe_storage(Role.WEB)
    store(Role.WEB).client.close()  # type: ignore[attr-defined]
