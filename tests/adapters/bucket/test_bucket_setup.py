"""What `bucket setup` makes of a real server's bucket, and what it leaves alone."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from media_jobs.adapters.bucket.answers import BucketError
from media_jobs.adapters.bucket.policies import Policy, policy
from media_jobs.adapters.bucket.setup import Item, Plan, Setup, State
from media_jobs.adapters.storage.s3_connection import bucket_storage
from tests.servers.seaweed import SeaweedFS, s3_client, seaweedfs

pytestmark = pytest.mark.slow  # `make test-all` runs them

ORIGINS = ["https://a.example", "https://b.example"]
#: SeaweedFS does not know it.
BLOCK = "block public access"
ITEMS = ["bucket", BLOCK, "bucket policy", "unfinished uploads", "forgotten uploads", "cors"]


def only(*actions: str, resource: str = "arn:aws:s3:::*") -> Policy:
    return policy({"Effect": "Allow", "Action": [f"s3:{action}" for action in actions], "Resource": [resource]})


@pytest.fixture
def bare() -> Iterator[SeaweedFS]:
    """A server without the bucket."""
    with seaweedfs(bare=True, users={"looker": only("ListBucket"), "stranger": only("ListAllMyBuckets")}) as running:
        yield running


@pytest.fixture
def admin(bare: SeaweedFS) -> Iterator[Any]:
    with closing(s3_client(bare.endpoint_url, bare.admin)) as client:
        yield client


def plan(server: SeaweedFS, *, public: bool = True, origins: list[str] = ORIGINS) -> Plan:
    return Plan(server.bucket, "us-east-1", public=public, origins=origins, aws=False)


def states(items: Iterator[Item]) -> dict[str, State]:
    return {item.name: item.state for item in items}


def settings_of(client: Any, bucket: str) -> dict[str, Any]:
    return {
        "policy": json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"]),
        "lifecycle": client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        "cors": client.get_bucket_cors(Bucket=bucket)["CORSRules"],
    }


def test_an_empty_server_gets_everything_and_a_repeat_changes_nothing(bare: SeaweedFS, admin: Any):
    first = states(Setup(admin, plan(bare)).run())
    assert first == {**dict.fromkeys(ITEMS, State.MADE), BLOCK: State.UNSUPPORTED}
    found = settings_of(admin, bare.bucket)
    again = states(Setup(admin, plan(bare)).run())
    assert again == {**dict.fromkeys(ITEMS, State.THERE), BLOCK: State.UNSUPPORTED}
    assert settings_of(admin, bare.bucket) == found


def test_settings_go_with_the_checksum_that_older_servers_ask_for(bare: SeaweedFS):
    """MinIO of some years and Ceph refuse them without Content-MD5, which boto3 no longer sends by itself."""
    storage = bucket_storage(bare.bucket, bare.admin, region="us-east-1", endpoint_url=bare.endpoint_url)
    sent: dict[str, Any] = {}

    def note(request: Any, event_name: str, **_: Any) -> None:
        sent[event_name.rpartition(".")[2]] = (request.headers.get("Content-MD5"), request.body)

    with closing(storage.bucket.meta.client) as client:
        client.meta.events.register("before-send.s3", note)
        assert State.FAILED not in states(Setup(client, plan(bare)).run()).values()
    for operation in ("PutBucketLifecycleConfiguration", "PutBucketCors"):
        checksum, body = sent[operation]
        assert b64decode(checksum) == hashlib.md5(body, usedforsecurity=False).digest()


def test_a_dry_run_makes_nothing(bare: SeaweedFS, admin: Any):
    found = states(Setup(admin, plan(bare), dry_run=True).run())
    assert found == dict.fromkeys(ITEMS, State.WANTED)
    with pytest.raises(ClientError, match="404"):
        admin.head_bucket(Bucket=bare.bucket)
    list(Setup(admin, plan(bare, public=False, origins=[])).run())
    found = states(Setup(admin, plan(bare), dry_run=True).run())
    assert (found["bucket policy"], found["cors"]) == (State.WANTED, State.WANTED)
    for look in (admin.get_bucket_policy, admin.get_bucket_cors):
        with pytest.raises(ClientError, match="NoSuch"):
            look(Bucket=bare.bucket)


def test_what_others_have_set_survives(bare: SeaweedFS, admin: Any):
    bucket = bare.bucket
    admin.create_bucket(Bucket=bucket)
    statement = {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/theirs/*",
    }
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "theirs/"}, "Expiration": {"Days": 9}}
    cors = {"ID": "theirs", "AllowedMethods": ["GET"], "AllowedOrigins": ["https://their.example"], "MaxAgeSeconds": 60}
    admin.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy(statement)))
    admin.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    admin.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [cors]})

    assert State.FAILED not in states(Setup(admin, plan(bare)).run()).values()
    found = settings_of(admin, bucket)
    assert [statement["Sid"] for statement in found["policy"]["Statement"]] == ["Theirs", "GallimgPublicRead"]
    assert found["policy"]["Statement"][0] == statement
    assert found["lifecycle"][0] == rule
    assert found["cors"][0] == cors
    assert (len(found["lifecycle"]), len(found["cors"])) == (4, 2)


def test_without_public_the_world_reads_nothing(bare: SeaweedFS, admin: Any):
    items = states(Setup(admin, plan(bare, public=False)).run())
    assert items["bucket policy"] is State.LEFT
    with closing(s3_client(bare.endpoint_url, bare.worker)) as worker:
        worker.put_object(Bucket=bare.bucket, Key="full/a.jpg", Body=b"x")
    assert httpx.get(f"{bare.endpoint_url}/{bare.bucket}/full/a.jpg").status_code == 403


def test_pages_of_the_given_origins_may_post_and_others_may_not(bare: SeaweedFS, admin: Any):
    list(Setup(admin, plan(bare, origins=["https://old.example"])).run())
    assert states(Setup(admin, plan(bare)).run())["cors"] is State.MADE
    for origin, answer in (("https://b.example", "https://b.example"), ("https://old.example", None)):
        posted = httpx.post(f"{bare.endpoint_url}/{bare.bucket}", files={"file": b"x"}, headers={"Origin": origin})
        assert posted.headers.get("Access-Control-Allow-Origin") == answer


def test_a_lacking_right_is_named_and_the_rest_is_tried(bare: SeaweedFS, admin: Any):
    admin.create_bucket(Bucket=bare.bucket)
    with closing(s3_client(bare.endpoint_url, bare.users["looker"])) as looker:
        items = list(Setup(looker, plan(bare)).run())
    assert [item.state for item in items] == [State.THERE] + [State.FAILED] * 5
    lacking = ["GetBucketPublicAccessBlock", "GetBucketPolicy", "GetLifecycleConfiguration", "GetBucketCors"]
    assert [right for right in lacking if not any(f"s3:{right}." in item.note for item in items)] == []


class TestItEndsWithASentence:
    def test_where_the_bucket_may_not_be_made(self, bare: SeaweedFS):
        with closing(s3_client(bare.endpoint_url, bare.users["looker"])) as looker:
            self.ends(looker, bare.bucket, "must not make one.*ADMIN_AWS_ACCESS_KEY_ID")

    def test_where_the_bucket_may_not_be_seen(self, bare: SeaweedFS, admin: Any):
        admin.create_bucket(Bucket=bare.bucket)
        with closing(s3_client(bare.endpoint_url, bare.users["stranger"])) as stranger:
            self.ends(stranger, bare.bucket, "lack s3:ListBucket, or the bucket is another account's")

    def test_where_the_secret_is_wrong(self, bare: SeaweedFS):
        with closing(s3_client(bare.endpoint_url, (bare.admin[0], "wrong"))) as wrong:
            self.ends(wrong, bare.bucket, "they are wrong")

    def test_where_nobody_answers(self):
        with closing(s3_client("http://127.0.0.1:1", ("a", "b"))) as client:
            self.ends(client, "gallimg", "does not answer.*S3_ENDPOINT")

    def ends(self, client: Any, bucket: str, sentence: str) -> None:
        with pytest.raises(BucketError, match=sentence):
            list(Setup(client, Plan(bucket, "us-east-1", public=True, aws=False)).run())
