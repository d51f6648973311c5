"""The whole service on a bucket of a real S3 server, with the three sets of credentials that production has."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from media_jobs.adapters.storage.s3 import S3Store
from tests import images
from tests.e2e.accounts import staff
from tests.e2e.client import process, upload
from tests.e2e.databases import database
from tests.e2e.service import Service, refusal, running, wait_until
from tests.e2e.stores import BucketObjects, s3_settings
from tests.servers import free_ports
from tests.servers.seaweed import SeaweedFS, another_bucket, s3_client

pytestmark = [pytest.mark.e2e, pytest.mark.s3]

MB = 1_048_576


@pytest.fixture(scope="module")
def bucket(seaweed: SeaweedFS) -> SeaweedFS:
    return another_bucket(seaweed)


@pytest.fixture(scope="module")
def on_s3(bucket: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("s3") / "data", s3_settings(bucket)) as started:
        yield started


@pytest.fixture(scope="module")
def objects(bucket: SeaweedFS) -> Iterator[BucketObjects]:
    with closing(BucketObjects(bucket)) as found:
        yield found


@pytest.fixture(scope="module")
def image(on_s3: Service) -> str:
    """The id of a picture that is done."""
    return str(process(on_s3.url, images.jpeg())["imageId"])


@pytest.fixture(scope="module")
def curator(on_s3: Service) -> Iterator[httpx.Client]:
    with staff(on_s3) as signed_in:
        yield signed_in


# --- uploads and what becomes of them -------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [0, 9 * MB, 25 * MB], ids=["small", "9 MB", "25 MB"])
def test_a_picture_goes_all_the_way_through_a_web_process_that_may_only_write(on_s3, objects, size_bytes):
    photo = images.jpeg(2600, 1900, facts=images.CAMERA)
    photo += bytes(max(0, size_bytes - len(photo)))
    job = process(on_s3.url, photo)
    assert [d["name"] for d in job["derivatives"]] == ["full", "medium", "small", "thumb"]
    assert objects.read(original_key(job["imageId"])) == photo
    assert objects.unfinished() == set()
    assert httpx.get(f"{on_s3.url}/readyz").status_code == 200


def test_everybody_reads_derivatives_and_may_keep_them_for_ever(on_s3, image):
    made = httpx.get(f"{on_s3.url}/v1/images/{image}").json()["derivatives"]
    sums = checksums(on_s3, image)
    assert len(made) == len(sums) == 4
    for derivative in made:
        answer = httpx.get(derivative["url"])
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == sums[derivative["key"]]
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Disposition"] == f'inline; filename="{image}-{derivative["name"]}.jpg"'


def test_nothing_of_the_pictures_lies_on_the_hosts_own_disk(on_s3):
    upload(on_s3.url, images.jpeg())
    assert not (on_s3.data / "objects").exists()


# --- who may what ---------------------------------------------------------------------------------

Call = Callable[[Any, str, str], Any]
CALLS: dict[str, Call] = {
    "get": lambda client, bucket, key: client.get_object(Bucket=bucket, Key=key),
    "head": lambda client, bucket, key: client.head_object(Bucket=bucket, Key=key),
    "list": lambda client, bucket, key: client.list_objects_v2(Bucket=bucket, Prefix=key),
    "list_uploads": lambda client, bucket, _: client.list_multipart_uploads(Bucket=bucket),
    "copy": lambda client, bucket, key: client.copy_object(
        Bucket=bucket, Key="uploads/copy", CopySource={"Bucket": bucket, "Key": key}
    ),
    "overwrite": lambda client, bucket, key: client.put_object(Bucket=bucket, Key=key, Body=b"other"),
    "delete": lambda client, bucket, key: client.delete_object(Bucket=bucket, Key=key),
    "bucket_policy": lambda client, bucket, _: client.get_bucket_policy(Bucket=bucket),
}


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("web", ("get", "head", "list", "list_uploads", "copy", "delete", "bucket_policy")),
        ("read", ("list", "list_uploads", "copy", "overwrite", "delete", "bucket_policy")),
    ],
)
def test_credentials_allow_nothing_but_their_work(on_s3, bucket, objects, image, role, refused):
    before = objects.read(original_key(image))
    with closing(s3_client(bucket.endpoint_url, getattr(bucket, role))) as client:
        for call in refused:
            with pytest.raises(ClientError) as error:
                CALLS[call](client, bucket.bucket, original_key(image))
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, call
    assert objects.read(original_key(image)) == before


def test_the_web_process_cannot_write_where_the_world_reads(on_s3, bucket, image):
    key = httpx.get(f"{on_s3.url}/v1/images/{image}").json()["derivatives"][0]["key"]
    with (
        closing(s3_client(bucket.endpoint_url, bucket.web)) as client,
        pytest.raises(ClientError, match="AccessDenied"),
    ):
        CALLS["overwrite"](client, bucket.bucket, key)


# --- originals ------------------------------------------------------------------------------------


def test_nobody_reads_an_original_without_a_signed_link(on_s3, bucket, objects, image):
    assert httpx.get(f"{bucket.endpoint_url}/{bucket.bucket}/{original_key(image)}").status_code == 403
    assert httpx.get(f"{on_s3.url}/v1/images/{image}/original").status_code == 403


def test_an_original_is_kept_by_no_cache(bucket, image):
    with closing(s3_client(bucket.endpoint_url, bucket.worker)) as client:
        found = client.head_object(Bucket=bucket.bucket, Key=original_key(image))
    assert found["CacheControl"] == "private, no-store"
    assert found["ContentType"] == "image/jpeg"
    assert found["ContentDisposition"].startswith("attachment")


def test_staff_are_sent_to_a_link_that_gives_the_original(curator, objects, image):
    answer = httpx.get(signed_link(curator, image))
    assert answer.status_code == 200
    assert answer.content == objects.read(original_key(image))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_no_part_of_a_signed_link_can_be_changed(on_s3, curator, bucket, image):
    link = signed_link(curator, image)
    other = str(process(on_s3.url, images.jpeg(64, 64))["imageId"])
    changed = {name: with_parameter(link, name, changed_a_little(value)) for name, value in parameters(link).items()}
    changed["another original"] = link.replace(image, other)
    changed["a longer life"] = with_parameter(link, "X-Amz-Expires", "604800")
    changed["another right"] = with_parameter(link, "acl", "")
    answers = {what: httpx.get(url).status_code for what, url in changed.items()}
    assert answers.pop("X-Amz-Algorithm") == 400  # it does not even look at the signature
    assert answers == dict.fromkeys(answers, 403)
    for name in parameters(link):
        assert httpx.get(with_parameter(link, name, None)).status_code in (400, 403), name
    assert httpx.delete(link).status_code == 403
    assert httpx.put(link, content=b"other").status_code == 403
    assert httpx.get(link).status_code == 200


def test_a_signed_link_expires(bucket, image):
    store = S3Store(bucket.bucket, credentials=bucket.read, region="us-east-1", endpoint_url=bucket.endpoint_url)
    link = store.signed_url(original_key(image), filename="a.jpg", content_type="image/jpeg", expires_s=2)
    assert httpx.get(link).status_code == 200
    wait_until(lambda: httpx.get(link).status_code == 403, 60, "the link's end")


def test_without_credentials_that_read_originals_stay_where_they_are(bucket, objects, tmp_path):
    settings = {name: value for name, value in s3_settings(bucket).items() if not name.startswith("S3_READ_")}
    with running(tmp_path / "data", settings) as service, staff(service) as curator:
        image = process(service.url, images.jpeg())["imageId"]
        answer = curator.get(f"/v1/images/{image}/original")
        assert (answer.status_code, answer.json()["code"]) == (503, "reads_not_configured")
        assert "S3_READ_" in answer.json()["detail"]
        assert objects.keys("originals/") >= {original_key(image)}


# --- a start that cannot work ---------------------------------------------------------------------


@contextlib.contextmanager
def storage_without_the_bucket() -> Iterator[str]:
    """Answers as AWS does. SeaweedFS says AccessDenied to all but administrators, for whom it makes the bucket."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"
            self.send_response(404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Not a word."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        answering = threading.Thread(target=server.serve_forever, args=(0.05,))
        answering.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        answering.join()


def test_a_bucket_that_is_not_there_is_named_with_what_makes_it(bucket, tmp_path):
    env = {**s3_settings(bucket), "GALLIMG_DATA": str(tmp_path / "data")}
    with storage_without_the_bucket() as endpoint:
        lines = [refusal({**env, "S3_ENDPOINT": endpoint}), refusal({**env, "S3_BUCKET": f"{bucket.bucket}-typo"})]
    for line, name in zip(lines, (bucket.bucket, f"{bucket.bucket}-typo"), strict=True):
        assert f"{name!r}" in line
        assert "S3_BUCKET" in line
        assert "manage.py bucket setup" in line


@pytest.mark.parametrize("role", ["AWS", "WORKER_AWS"])
def test_credentials_that_are_refused_are_named_and_never_shown(bucket, tmp_path, role):
    wrong = {f"{role}_SECRET_ACCESS_KEY": "a secret that is wrong"}
    line = refusal({**s3_settings(bucket), **wrong, "GALLIMG_DATA": str(tmp_path / "data")})
    assert f"{role}_ACCESS_KEY_ID" in line
    assert "manage.py bucket check" in line
    assert "a secret" not in line


def test_a_storage_that_comes_later_than_the_service_is_waited_for(bucket, tmp_path):
    """It cannot be told from one that is only being restarted."""
    elsewhere = f"http://127.0.0.1:{free_ports(1)[0]}"
    with database() as url:
        service = Service(
            tmp_path / "data", {**s3_settings(bucket), "S3_ENDPOINT": elsewhere, "DATABASE_URL": url}
        ).launch()
        try:
            wait_until(lambda: answers(service), 60, "the web process")
            assert "storage_unreachable" in service.logs
            assert elsewhere in service.logs
            storage = httpx.get(f"{service.url}/readyz").json()["checks"]["storage"]
            assert (storage["ok"], bool(storage["error"])) == (False, True)
            assert upload(service.url, images.jpeg()).json()["code"] == "storage_unavailable"
        finally:
            service.kill()


def answers(service: Service) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{service.url}/healthz").status_code == 200
    return False


def original_key(image: str) -> str:
    return f"originals/{image}.jpg"


def checksums(service: Service, image: str) -> dict[str, str]:
    """What the rows of an image's derivatives say, by key."""
    ask = (
        "from media_jobs.models import Derivative\n"
        f"print(*(f'{{d.key}}={{d.sha256}}' for d in Derivative.objects.filter(original={image!r})))"
    )
    printed = service.manage("shell", "--no-imports", "-c", ask)
    return dict(pair.split("=") for pair in printed.split())


def signed_link(curator: httpx.Client, image: str) -> str:
    answer = curator.get(f"/v1/images/{image}/original")
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def parameters(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))


def with_parameter(link: str, name: str, value: str | None) -> str:
    """The link with one parameter changed, added, or taken away."""
    left = {key: old for key, old in parameters(link).items() if key != name}
    query = urlencode(left if value is None else {**left, name: value})
    return urlunsplit(urlsplit(link)._replace(query=query))


def changed_a_little(value: str) -> str:
    """Another one that has the right form all the same: dates end with a letter."""
    return value[:-2] + ("1" if value[-2] != "1" else "2") + value[-1]
