"""Who may do what with the one store of a process."""

import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import ReadsNotConfigured
from media_jobs.management.storage_probe import StorageUnusable, probe_storage

WEB, WORKER, READ = ("web", "web secret"), ("worker", "worker secret"), ("read", "read secret")
UNSET = ("", "")
KEY = "originals/a.jpg"


@pytest.fixture
def bucket(settings: Any) -> Any:
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = "objects", None
    settings.S3_WEB_CREDENTIALS = WEB
    settings.S3_WORKER_CREDENTIALS = settings.S3_READ_CREDENTIALS = UNSET
    return settings


def signs(role: Role) -> str:
    """The key that signs links for `role`."""
    url = store(role).signed_url(KEY, filename="a.jpg", content_type="image/jpeg", expires_s=60)
    return url.partition("X-Amz-Credential=")[2].partition("%2F")[0]


def test_one_set_of_credentials_serves_all(bucket: Any) -> None:
    assert {signs(role) for role in Role} == {"web"}


def test_each_role_has_its_own(bucket: Any) -> None:
    bucket.S3_WORKER_CREDENTIALS, bucket.S3_READ_CREDENTIALS = WORKER, READ
    assert {role: signs(role) for role in Role} == {Role.WEB: "web", Role.WORKER: "worker", Role.READ: "read"}


def test_a_write_only_web_process_says_that_it_cannot_read(bucket: Any, tmp_path: Any) -> None:
    bucket.S3_WORKER_CREDENTIALS = WORKER
    with pytest.raises(ReadsNotConfigured):
        signs(Role.READ)
    with pytest.raises(ReadsNotConfigured):
        store(Role.READ).fetch(KEY, tmp_path / "fetched")
    assert store(Role.READ).url("full/a.jpg") == "https://objects.s3.us-east-1.amazonaws.com/full/a.jpg"


@pytest.mark.parametrize(
    ("endpoint", "name", "cdn", "url"),
    [
        ("http://127.0.0.1:9000/", "objects", "", "http://127.0.0.1:9000/objects/full/a.jpg"),
        (None, "my.objects", "", "https://s3.us-east-1.amazonaws.com/my.objects/full/a.jpg"),
        (None, "objects", "https://cdn.example.org", "https://cdn.example.org/full/a.jpg"),
    ],
)
def test_where_derivatives_are_found(bucket: Any, endpoint: str | None, name: str, cdn: str, url: str) -> None:
    bucket.S3_ENDPOINT_URL, bucket.S3_BUCKET, bucket.CDN_BASE_URL = endpoint, name, cdn
    assert store(Role.WEB).url("full/a.jpg") == url


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("me-south-1", "objects.s3.me-south-1.amazonaws.com"),
        ("cn-north-1", "objects.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_at_amazon_all_addresses_are_those_of_the_buckets_own_region(bucket: Any, region: str, host: str) -> None:
    """Elsewhere a link is redirected, which its signature does not survive."""
    bucket.S3_REGION = region
    link = store(Role.READ).signed_url(KEY, filename="a.jpg", content_type="image/jpeg", expires_s=60)
    form = store(Role.WEB).form("uploads/a", content_type="image/jpeg", least_bytes=1, most_bytes=2, expires_s=60)
    assert [urlsplit(url).hostname for url in (link, form.url, store(Role.WEB).url("full/a.jpg"))] == [host] * 3


@pytest.mark.parametrize("role", Role)
def test_without_credentials_nobody_elses_are_looked_for(bucket: Any, role: Role) -> None:
    """Such as those of the machine, which its network gives to whoever asks."""
    bucket.S3_WEB_CREDENTIALS = UNSET
    with pytest.raises(ReadsNotConfigured):
        signs(role)


def test_a_host_that_only_works_needs_the_workers_credentials_alone(bucket: Any) -> None:
    bucket.S3_WEB_CREDENTIALS, bucket.S3_WORKER_CREDENTIALS = UNSET, WORKER
    assert signs(Role.WORKER) == "worker"
    assert store(Role.WEB).url("full/a.jpg") == "https://objects.s3.us-east-1.amazonaws.com/full/a.jpg"


@pytest.mark.parametrize(
    ("role", "names"), [(Role.WEB, "^AWS_ACCESS_KEY_ID: not set"), (Role.WORKER, "^WORKER_AWS_ACCESS_KEY_ID: not set")]
)
def test_a_start_names_the_credentials_that_are_missing(bucket: Any, role: Role, names: str) -> None:
    bucket.S3_WEB_CREDENTIALS = UNSET
    with pytest.raises(StorageUnusable, match=names):
        probe_storage(role)


def test_files_are_found_at_this_service_or_the_cdn(object_store: Any, settings: Any) -> None:
    assert object_store.url("full/a.jpg") == f"{settings.PUBLIC_BASE_URL}/media/full/a.jpg"
    settings.CDN_BASE_URL = "https://cdn.example.org"
    assert store(Role.WEB).url("full/a.jpg") == "https://cdn.example.org/full/a.jpg"
    private = store(Role.READ).signed_url(KEY, filename="a", content_type="image/jpeg", expires_s=60)
    assert private.startswith(f"{settings.PUBLIC_BASE_URL}/media/{KEY}?")


LOOK = """
import django, json, os, sys, threading
django.setup()
from media_jobs.adapters.storage import Role, prepare, store

def of_a_child(look):
    child = os.fork()
    if child == 0:
        os._exit(10 + look())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) - 10

def shared():
    return sum(store(role) is one for role, one in zip(Role, stores))

stores = [store(role) for role in Role]
used = of_a_child(shared)
prepare()
prepared = of_a_child(shared)
of_a_prepared_one = of_a_child(lambda: of_a_child(shared))
print(json.dumps({
    "boto3": "boto3" in sys.modules,
    "threads": threading.active_count(),
    "sockets": sum("socket:" in os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd > "2"
                   and os.path.exists(f"/proc/self/fd/{fd}")),
    "shared with a child": [used, prepared, of_a_prepared_one],
}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc; no apt line helps")
@pytest.mark.parametrize("name", ["", "objects"])
@pytest.mark.slow
def test_nothing_that_a_fork_would_break_is_made_before_it_is_needed(name: str) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "gallimg_site.settings",
        "S3_BUCKET": name,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    run = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, check=True)
    found = json.loads(run.stdout)
    assert found == {"boto3": bool(name), "threads": 1, "sockets": 0, "shared with a child": [0, 3, 0]}
