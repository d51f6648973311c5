"""What `bucket setup` asks of AWS, where no server of ours knows it: regions and Block Public Access."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from media_jobs.adapters.bucket import policies, rules
from media_jobs.adapters.bucket.answers import BucketError
from media_jobs.adapters.bucket.setup import Item, Plan, Setup, State

BUCKET, REGION = "pictures", "eu-west-1"
HERE = {"Bucket": BUCKET}
ALL_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
POLICY_ALLOWED = {**ALL_BLOCKED, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
TLS = policies.tls_only(BUCKET, REGION)
PUBLIC = policies.public_read(BUCKET, REGION)


class Aws:
    """AWS as a script: it answers what is expected in the order in which it is, and takes nothing else."""

    server = "AmazonS3"

    def __init__(self) -> None:
        self.client = boto3.client("s3", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
        self.stub = Stubber(self.client)
        self.stub.activate()

    def answers(self, method: str, answer: dict[str, Any] | None = None, **parameters: Any) -> "Aws":
        headers = {"HTTPStatusCode": 200, "HTTPHeaders": {"server": self.server}}
        self.stub.add_response(method, {**(answer or {}), "ResponseMetadata": headers}, HERE | parameters)
        return self

    def refuses(self, method: str, code: str, status: int) -> "Aws":
        self.stub.add_client_error(method, code, http_status_code=status)
        return self

    def has_the_rest(self) -> "Aws":
        return self.answers("get_bucket_lifecycle_configuration", {"Rules": [*rules.unfinished(), *rules.staging()]})

    def setup(self, *, public: bool) -> dict[str, Item]:
        found = {item.name: item for item in Setup(self.client, Plan(BUCKET, REGION, public=public)).run()}
        self.stub.assert_no_pending_responses()
        return found


@pytest.fixture
def aws() -> Iterator[Aws]:
    found = Aws()
    yield found
    found.client.close()


def blocked(configuration: dict[str, bool]) -> dict[str, Any]:
    return {"PublicAccessBlockConfiguration": configuration}


def test_a_new_public_bucket_is_made_in_its_region_and_opened_before_its_policy_comes(aws: Aws):
    aws.refuses("head_bucket", "404", 404)
    aws.answers("create_bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    aws.answers("get_public_access_block", blocked(ALL_BLOCKED))
    aws.answers("put_public_access_block", **blocked(POLICY_ALLOWED))
    aws.refuses("get_bucket_policy", "NoSuchBucketPolicy", 404)
    aws.answers("put_bucket_policy", Policy=json.dumps(policies.policy(PUBLIC, TLS)))
    items = aws.has_the_rest().setup(public=True)
    assert {item.state for item in items.values()} == {State.MADE, State.THERE, State.LEFT}


def test_acls_that_were_allowed_stay_so_when_a_bucket_is_opened(aws: Aws):
    theirs = {**ALL_BLOCKED, "BlockPublicAcls": False, "IgnorePublicAcls": False}
    aws.answers("head_bucket").answers("get_public_access_block", blocked(theirs))
    opened = {**theirs, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    aws.answers("put_public_access_block", **blocked(opened))
    aws.answers("get_bucket_policy", {"Policy": json.dumps(policies.policy(PUBLIC, TLS))})
    assert aws.has_the_rest().setup(public=True)["bucket policy"].state is State.THERE


def test_a_private_bucket_is_closed_altogether(aws: Aws):
    aws.answers("head_bucket").refuses("get_public_access_block", "NoSuchPublicAccessBlockConfiguration", 404)
    aws.refuses("get_bucket_policy", "NoSuchBucketPolicy", 404)
    aws.answers("put_public_access_block", **blocked(ALL_BLOCKED))
    aws.refuses("get_bucket_policy", "NoSuchBucketPolicy", 404)
    aws.answers("put_bucket_policy", Policy=json.dumps(policies.policy(TLS)))
    assert aws.has_the_rest().setup(public=False)["block public access"].state is State.MADE


def test_what_is_public_is_not_cut_off(aws: Aws):
    aws.answers("head_bucket").answers("get_public_access_block", blocked(POLICY_ALLOWED))
    for _ in range(2):
        aws.answers("get_bucket_policy", {"Policy": json.dumps(policies.policy(PUBLIC, TLS))})
    block = aws.has_the_rest().setup(public=False)["block public access"]
    assert block.state is State.LEFT
    assert "GallimgPublicRead" in block.note


def test_how_small_objects_move_between_classes_stays_as_it_was(aws: Aws):
    size: dict[str, Any] = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
    aws.answers("head_bucket").answers("get_public_access_block", blocked(POLICY_ALLOWED))
    aws.answers("get_bucket_policy", {"Policy": json.dumps(policies.policy(PUBLIC, TLS))})
    aws.answers("get_bucket_lifecycle_configuration", {"Rules": rules.staging(), **size})
    aws.answers("put_bucket_lifecycle_configuration", LifecycleConfiguration=ANY, **size)
    assert aws.setup(public=True)["unfinished uploads"].state is State.MADE


def test_one_rule_of_lifecycle_is_put_beside_the_other_though_a_bucket_shows_it_only_later(aws: Aws):
    aws.answers("head_bucket").answers("get_public_access_block", blocked(POLICY_ALLOWED))
    aws.answers("get_bucket_policy", {"Policy": json.dumps(policies.policy(PUBLIC, TLS))})
    aws.refuses("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration", 404)
    for expected in (rules.unfinished(), [*rules.unfinished(), *rules.staging()]):
        aws.answers("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": expected})
    items = aws.setup(public=True)
    assert {items[name].state for name in ("unfinished uploads", "forgotten uploads")} == {State.MADE}


def test_a_policy_that_the_account_forbids_is_not_taken_for_a_lack_of_rights_alone(aws: Aws):
    aws.answers("head_bucket").answers("get_public_access_block", blocked(POLICY_ALLOWED))
    aws.refuses("get_bucket_policy", "NoSuchBucketPolicy", 404).refuses("put_bucket_policy", "AccessDenied", 403)
    policy = aws.has_the_rest().setup(public=True)["bucket policy"]
    assert (policy.state, "Block Public Access of the account" in policy.note) == (State.FAILED, True)


@pytest.mark.parametrize(
    ("code", "status", "sentence"),
    [
        ("BucketAlreadyExists", 409, "taken by somebody else"),
        ("AccessDenied", 403, "must not make one"),
        ("IllegalLocationConstraintException", 400, "set AWS_REGION"),
    ],
)
def test_a_bucket_that_cannot_be_made_is_explained(aws: Aws, code: str, status: int, sentence: str):
    aws.refuses("head_bucket", "404", 404).refuses("create_bucket", code, status)
    with pytest.raises(BucketError, match=sentence):
        aws.setup(public=True)


def test_a_bucket_in_another_region_is_reported_though_boto3_would_follow_it(aws: Aws):
    aws.answers("head_bucket", {"BucketRegion": "us-west-2"})
    with pytest.raises(BucketError, match="in us-west-2; set AWS_REGION"):
        aws.setup(public=True)


def test_minio_is_spared_the_rule_that_it_refuses(aws: Aws):
    aws.server = "MinIO"
    aws.answers("head_bucket").answers("get_public_access_block", blocked(POLICY_ALLOWED))
    aws.answers("get_bucket_policy", {"Policy": json.dumps(policies.policy(PUBLIC, TLS))})
    aws.answers("get_bucket_lifecycle_configuration", {"Rules": rules.staging()})
    assert aws.setup(public=True)["unfinished uploads"].state is State.LEFT
