"""A form stores one object, under the key that it names, of the type and size that it names, for as long as it says."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from media_jobs.adapters.storage import file_links
from media_jobs.adapters.storage.file_links import BadLinkError, form_grant, grant
from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.ports import Form, ObjectStore
from tests.adapters.storage.stores import noise, read, s3_store
from tests.forms import send
from tests.servers.seaweed import SeaweedFS, s3_client

CONTENT = noise(70_000)
LEAST, MOST = 60_000, 80_000


@dataclass
class Counter:
    """The server that takes forms. `store` has the web process's credentials, `all` may read and list."""

    store: ObjectStore
    all: ObjectStore
    key: str

    def form(self, *, least: int = LEAST, most: int = MOST, expires_s: int = 60) -> Form:
        return self.store.form(
            self.key, content_type="image/jpeg", least_bytes=least, most_bytes=most, expires_s=expires_s
        )

    def stored(self) -> list[str]:
        return list(self.all.keys("uploads/"))


@pytest.fixture(params=["object_store", "on_s3"], ids=["files", "s3"])
def counter(request: pytest.FixtureRequest) -> Counter:
    made = request.getfixturevalue(request.param)
    return made if isinstance(made, Counter) else Counter(made, made, f"uploads/{uuid4()}")


@pytest.fixture
def on_s3(seaweed: SeaweedFS) -> Iterator[Counter]:
    web, worker = s3_store(seaweed, seaweed.web), s3_store(seaweed)
    for left in list(worker.keys("uploads/")):  # by other tests: the bucket is everybody's
        worker.delete(left)
    yield Counter(web, worker, f"uploads/{uuid4()}")
    web.client.close()
    worker.client.close()


def test_what_is_posted_is_stored_as_it_is(counter: Counter, tmp_path: Any) -> None:
    assert send(counter.form(), CONTENT) == 204
    assert read(counter.all, counter.key, tmp_path) == CONTENT


def test_until_it_expires_it_may_be_posted_again_and_overwrites_its_own_object_only(
    counter: Counter, tmp_path: Any
) -> None:
    form, other = counter.form(), f"uploads/{uuid4()}"
    assert send(replace(counter, key=other).form(), CONTENT[::-1]) == 204
    assert [send(form, content) for content in (CONTENT, CONTENT[1:])] == [204, 204]
    assert read(counter.all, counter.key, tmp_path) == CONTENT[1:]
    assert read(counter.all, other, tmp_path) == CONTENT[::-1]
    assert sorted(counter.stored()) == sorted([counter.key, other])


@pytest.mark.parametrize("size_bytes", [0, LEAST - 1, MOST + 1, 20 * MOST])
def test_other_sizes_are_refused(counter: Counter, size_bytes: int) -> None:
    assert 400 <= send(counter.form(), noise(size_bytes)) < 500
    assert counter.stored() == []


def test_an_announced_size_is_the_only_one(counter: Counter) -> None:
    form = counter.form(least=70_000, most=70_000)
    assert send(form, CONTENT[:-1]) >= 400 <= send(form, CONTENT + b"x")
    assert counter.stored() == []
    assert send(form, CONTENT) == 204


@pytest.mark.parametrize("key", ["uploads/another", "originals/a.jpg", "full/a.jpg", "${filename}"])
def test_another_key_is_refused(counter: Counter, key: str) -> None:
    form, there = counter.form(), set(counter.all.keys())
    path = urlsplit(form.url).path
    for url in {form.url, form.url.replace(path, f"/media/{key}") if "token=" in form.url else form.url}:
        status = send(Form(url, {**form.fields, "key": key}), CONTENT)
        assert status == 403 or "token=" in url, status
    assert set(counter.all.keys()) <= {*there, counter.key}


@pytest.mark.parametrize("content_type", ["text/html", "image/png", "image/jpeg; charset=utf-8", ""])
def test_another_type_is_refused(counter: Counter, content_type: str) -> None:
    form = counter.form()
    assert send(Form(form.url, {**form.fields, "Content-Type": content_type}), CONTENT) >= 400
    fields = {name: value for name, value in form.fields.items() if name != "Content-Type"}
    assert send(Form(form.url, fields), CONTENT) >= 400
    assert counter.stored() == []


def test_an_expired_form_is_refused(counter: Counter) -> None:
    assert send(counter.form(expires_s=-1), CONTENT) == 403
    assert counter.stored() == []


def test_another_cache_control_is_refused(on_s3: Counter) -> None:
    form = on_s3.form()
    assert form.fields["Cache-Control"] == "private, no-store"
    assert send(Form(form.url, {**form.fields, "Cache-Control": "public"}), CONTENT) == 403
    assert on_s3.stored() == []


@pytest.mark.parametrize("field", ["x-amz-meta-a", "x-amz-website-redirect-location", "x-amz-storage-class"])
def test_a_field_that_the_policy_does_not_name_is_refused(on_s3: Counter, field: str) -> None:
    """SeaweedFS lets others pass, such as acl (which it ignores) and Content-Disposition; Amazon refuses them all."""
    form = on_s3.form()
    assert send(Form(form.url, {**form.fields, field: "public-read"}), CONTENT) == 403
    assert on_s3.stored() == []


def test_a_policy_that_was_changed_is_refused(on_s3: Counter) -> None:
    form = on_s3.form()
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    policy["conditions"] = [c for c in policy["conditions"] if not isinstance(c, list)]
    changed = base64.b64encode(json.dumps(policy).encode()).decode()
    for wrong in ({"policy": changed}, {"x-amz-signature": "0" * 64}, {"x-amz-credential": "worker/x/s3"}):
        assert send(Form(form.url, {**form.fields, **wrong}), CONTENT) in (400, 403)
    assert send(Form(form.url, {"key": on_s3.key, "Content-Type": "image/jpeg"}), CONTENT) in (400, 403)
    assert on_s3.stored() == []


def test_what_was_posted_is_as_private_as_an_original(on_s3: Counter, seaweed: SeaweedFS) -> None:
    send(on_s3.form(), CONTENT)
    assert httpx.get(f"{seaweed.endpoint_url}/{seaweed.bucket}/{on_s3.key}").status_code == 403
    found = s3_client(seaweed.endpoint_url, seaweed.worker).head_object(Bucket=seaweed.bucket, Key=on_s3.key)
    assert (found["ContentType"], found["CacheControl"]) == ("image/jpeg", "private, no-store")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_form_goes_to_the_buckets_own_region(region: str) -> None:
    """Amazon redirects from anywhere else, and no browser takes a form of another origin along."""
    form = S3Store("gallimg", credentials=("key", "secret"), region=region).form(
        "uploads/a", content_type="image/jpeg", least_bytes=1, most_bytes=2, expires_s=60
    )
    assert form.url == f"https://gallimg.s3.{region}.amazonaws.com"
    assert "secret" not in str(form)


# --- the tokens of the file storage -----------------------------------------------------------------


def token_of(url: str) -> str:
    return httpx.URL(url).params["token"]


def test_a_token_says_what_its_form_allows(object_store: ObjectStore) -> None:
    form = object_store.form("uploads/a", content_type="image/jpeg", least_bytes=1, most_bytes=2, expires_s=60)
    granted = form_grant(token_of(form.url), "uploads/a")
    assert (granted.key, granted.content_type) == ("uploads/a", "image/jpeg")
    assert (granted.least_bytes, granted.most_bytes) == (1, 2)


def test_neither_does_a_link_store_nor_a_form_read(object_store: ObjectStore) -> None:
    form = object_store.form("uploads/a", content_type="image/jpeg", least_bytes=1, most_bytes=2, expires_s=60)
    link = object_store.signed_url("uploads/a", filename="a", content_type="image/jpeg", expires_s=60)
    with pytest.raises(BadLinkError):
        grant(token_of(form.url), "uploads/a")
    with pytest.raises(BadLinkError):
        form_grant(token_of(link), "uploads/a")


def test_a_token_for_another_key_expired_or_forged_is_refused(object_store: ObjectStore) -> None:
    def token(expires_s: int) -> str:
        form = object_store.form(
            "uploads/a", content_type="image/jpeg", least_bytes=1, most_bytes=2, expires_s=expires_s
        )
        return token_of(form.url)

    for bad, key in ((token(60), "uploads/b"), (token(-1), "uploads/a"), (token(60) + "x", "uploads/a"), ("", "")):
        with pytest.raises(BadLinkError):
            file_links.form_grant(bad, key)
