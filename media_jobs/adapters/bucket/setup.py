"""Sets a bucket up, item by item: makes what is missing, and changes nothing else."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.adapters.bucket import policies, rules
from media_jobs.adapters.bucket.answers import (
    BucketError,
    code_of,
    explain_errors,
    is_answered,
    is_denied,
    is_unsupported,
    policy_in,
    sentence,
    status_of,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Make = Callable[[], Any]

POLICY = "bucket policy"


class State(StrEnum):
    THERE = "is there"
    MADE = "made"
    WANTED = "would be made"
    UNSUPPORTED = "not supported"
    LEFT = "left as it is"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a bucket has or lacks. note: for a person, where there is more to say."""

    name: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted of a bucket.

    public: everybody reads derivatives from it, not only a CDN.
    origins: of web pages that upload straight to it.
    aws: it is at AWS, where all of this is known.
    """

    bucket: str
    region: str
    public: bool
    origins: Sequence[str] = ()
    aws: bool = True


class _SkippedError(Exception):
    """The item is left as it is; the message says why."""


class _NotKnownError(Exception):
    """The server has answered something else; the message is what it was asked."""


class Setup:
    """Makes what the bucket lacks, or with `dry_run` only says so. The client needs the rights of `policies.admin`."""

    def __init__(self, client: "S3Client", plan: Plan, *, dry_run: bool = False) -> None:
        self._client, self._plan, self._dry_run = client, plan, dry_run
        self._missing = False  # the bucket itself, in a dry run
        self._is_minio = False
        # As found, and then as put: for a while AWS may still return what was there before.
        self._lifecycle_rules: dict[str, Any] | None = None

    def run(self) -> Iterator[Item]:
        """Yield each item once it is done. Raises BucketError where nothing can be done at all."""
        yield self._bucket()
        look: Callable[[], Make | None]
        for name, look in (
            ("block public access", self._block_public_access),
            (POLICY, self._policy),
            ("unfinished uploads", self._unfinished),
            ("forgotten uploads", lambda: self._lifecycle(rules.staging())),
            ("cors", self._cors),
        ):
            with explain_errors():
                item = self._item(name, look)
            yield item

    def _bucket(self) -> Item:
        name = "bucket"
        try:
            answer = self._client.head_bucket(Bucket=self._plan.bucket)
        except ClientError as error:
            if status_of(error) != 404:
                raise BucketError(_not_visible(error, self._plan.bucket)) from error
        except BotoCoreError as error:
            raise BucketError(sentence(error)) from error
        else:
            self._is_minio = answer["ResponseMetadata"]["HTTPHeaders"].get("server") == "MinIO"
            # boto3 goes where the bucket is by itself; the links that it signs do not.
            region = answer.get("BucketRegion")
            if self._plan.aws and region and region != self._plan.region:
                raise BucketError(f"The bucket is in {region}; set AWS_REGION to that.")
            return Item(name, State.THERE, self._plan.bucket)
        if self._dry_run:
            self._missing = True
            return Item(name, State.WANTED, self._plan.bucket)
        # us-east-1 is the one region that must not be named; other servers have no regions.
        elsewhere = self._plan.aws and self._plan.region != "us-east-1"
        where: Any = {"CreateBucketConfiguration": {"LocationConstraint": self._plan.region}} if elsewhere else {}
        try:
            self._client.create_bucket(Bucket=self._plan.bucket, **where)
        except ClientError as error:
            raise BucketError(_not_made(error, self._plan.bucket)) from error
        return Item(name, State.MADE, self._plan.bucket)

    def _item(self, name: str, look: Callable[[], Make | None]) -> Item:
        try:
            make = look()
            if make and not self._dry_run:
                make()
        except _SkippedError as reason:
            return Item(name, State.LEFT, str(reason))
        except _NotKnownError as operation:
            return Item(name, State.UNSUPPORTED, f"this server does not know {operation}")
        except ClientError as error:
            return _failed_item(name, error)
        made = State.WANTED if self._dry_run else State.MADE
        return Item(name, made if make else State.THERE)

    def _block_public_access(self) -> Make | None:
        found = self._asked(
            "get_public_access_block", "PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration"
        )
        everything = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        if self._plan.public:
            wanted: Any = {**everything, **(found or {}), "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
        else:
            wanted = everything
        if found == wanted:
            return None
        if not self._plan.public and (names := rules.public_statements(self._statements())):
            raise _SkippedError(f"the bucket's policy makes something public: {', '.join(names)}")
        return lambda: self._client.put_public_access_block(
            Bucket=self._plan.bucket, PublicAccessBlockConfiguration=wanted
        )

    def _policy(self) -> Make | None:
        ours = []
        if self._plan.public:
            ours.append(policies.public_read(self._plan.bucket, self._plan.region))
        if self._plan.aws:
            ours.append(policies.tls_only(self._plan.bucket, self._plan.region))
        if not ours:
            raise _SkippedError("nothing is to be public; see “manage.py bucket policy cdn”")
        wanted = rules.with_statements(self._statements(), ours)
        if wanted is None:
            return None
        return lambda: self._client.put_bucket_policy(Bucket=self._plan.bucket, Policy=json.dumps(wanted))

    def _unfinished(self) -> Make | None:
        if self._is_minio:
            raise _SkippedError("MinIO takes no such rule, and removes them by itself after a day")
        return self._lifecycle(rules.unfinished())

    def _lifecycle(self, ours: list[rules.Rule]) -> Make | None:
        if self._lifecycle_rules is None:
            self._lifecycle_rules = self._whole("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
        found = self._lifecycle_rules
        wanted: Any = rules.merged(found.get("Rules", []), ours)
        if wanted is None:
            return None
        # Not sent along, it would fall back to its default.
        size = {name: found[name] for name in ("TransitionDefaultMinimumObjectSize",) if name in found}

        def make() -> None:
            self._client.put_bucket_lifecycle_configuration(
                Bucket=self._plan.bucket, LifecycleConfiguration={"Rules": wanted}, **size
            )
            self._lifecycle_rules = {"Rules": wanted, **size}

        return make

    def _cors(self) -> Make | None:
        if not self._plan.origins:
            raise _SkippedError("UPLOAD_ORIGINS is not set: no web page uploads straight to the bucket")
        if self._is_minio:
            raise _SkippedError("MinIO allows every origin unless MINIO_API_CORS_ALLOW_ORIGIN says otherwise")
        found = self._asked("get_bucket_cors", "CORSRules", "NoSuchCORSConfiguration")
        wanted: Any = rules.merged(found or [], rules.cors(self._plan.origins))
        if wanted is None:
            return None
        return lambda: self._client.put_bucket_cors(Bucket=self._plan.bucket, CORSConfiguration={"CORSRules": wanted})

    def _statements(self) -> policies.Policy | None:
        text = self._asked("get_bucket_policy", "Policy", "NoSuchBucketPolicy")
        return policy_in(text) if text else None

    def _asked(self, operation: str, field: str, absent: str) -> Any:
        return self._whole(operation, absent).get(field)

    def _whole(self, operation: str, absent: str) -> dict[str, Any]:
        """Return the whole answer; it is empty where the bucket has none, or is itself still to be made."""
        if self._missing:
            return {}
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(Bucket=self._plan.bucket)
        except ClientError as error:
            if code_of(error) == absent:
                return {}
            raise
        if not is_answered(operation, answer):
            raise _NotKnownError(operation.title().replace("_", ""))
        return answer


def _failed_item(name: str, error: ClientError) -> Item:
    if is_unsupported(error):
        return Item(name, State.UNSUPPORTED, f"this server does not know {error.operation_name}")
    return Item(name, State.FAILED, sentence(error))


def _not_visible(error: ClientError, bucket: str) -> str:
    """Say why the bucket cannot be seen. The answer to HEAD has no body: its status is all there is."""
    if status_of(error) == 403:
        return (
            f"The storage does not let these credentials see “{bucket}”: they are wrong, lack s3:ListBucket, or the "
            "bucket is another account's. “manage.py bucket policy admin” prints what is needed."
        )
    return sentence(error)


def _not_made(error: ClientError, bucket: str) -> str:
    if code_of(error) in ("BucketAlreadyExists", "OperationAborted"):
        return f"The name “{bucket}” is taken by somebody else. Choose another S3_BUCKET."
    if is_denied(error):
        return (
            f"There is no bucket “{bucket}”, and these credentials must not make one. Give ADMIN_AWS_ACCESS_KEY_ID and "
            "ADMIN_AWS_SECRET_ACCESS_KEY of somebody who may; “manage.py bucket policy admin” prints what is needed."
        )
    return sentence(error)
