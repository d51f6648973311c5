"""Policies in AWS's language: what each set of credentials needs and no more, and what everybody may read."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from media_jobs.keys import PREFIXES, PRIVATE_PREFIXES, PUBLIC_PREFIXES

Policy = dict[str, Any]
Statement = dict[str, Any]

#: Objects that `check` makes and removes: the one thing in the bucket that the administrator may write.
PROBE = "check-"


class Right(StrEnum):
    """What credentials may do in the bucket, by the names of S3's actions."""

    PUT = "PutObject"
    GET = "GetObject"
    DELETE = "DeleteObject"
    ABORT = "AbortMultipartUpload"
    LIST = "ListBucket"
    LIST_UPLOADS = "ListBucketMultipartUploads"


#: On objects, with the prefixes under which they are needed.
WEB = {Right.PUT: PRIVATE_PREFIXES, Right.ABORT: PRIVATE_PREFIXES}
READ = {Right.GET: ("originals/",)}
WORKER = dict.fromkeys((Right.GET, Right.PUT, Right.DELETE, Right.ABORT), PREFIXES)
#: On the bucket as a whole. Without conditions on the prefix: with one, S3 answers "denied" in place of "no such key".
WORKER_ON_BUCKET = (Right.LIST, Right.LIST_UPLOADS)
#: Of who reads the pictures of a live site, for the same reason.
LEGACY_ON_BUCKET = (Right.LIST,)

#: Spelled as every server takes it: AWS ignores case in here, SeaweedFS does not.
_SETUP = (
    "CreateBucket",
    "GetBucketLocation",
    "ListBucket",
    "GetBucketPolicy",
    "PutBucketPolicy",
    "GetBucketPublicAccessBlock",
    "PutBucketPublicAccessBlock",
    "GetLifecycleConfiguration",
    "PutLifecycleConfiguration",
    "GetBucketCors",
    "PutBucketCors",
    "GetBucketVersioning",
)
PUBLIC_READ, TLS_ONLY, CDN_READ = "GallimgPublicRead", "GallimgTlsOnly", "GallimgCdnRead"


def web(bucket: str, region: str = "") -> Policy:
    """The web process's policy: it stores and aborts, and neither reads, lists nor deletes."""
    return policy(_allow("GallimgWeb", WEB, _objects(bucket, PRIVATE_PREFIXES, region)))


def read(bucket: str, region: str = "", *, legacy: str = "") -> Policy:
    """The policy of the credentials with which the web process signs links to originals.

    legacy: as for `worker`; staff compare the pictures in the workbench.
    """
    return policy(
        _allow("GallimgRead", READ, _objects(bucket, READ[Right.GET], region)), *_reading_legacy(bucket, legacy, region)
    )


def worker(bucket: str, region: str = "", *, inbox: str = "", legacy: str = "") -> Policy:
    """The workers' policy: everything under our own prefixes, and nothing about the bucket but its lists.

    inbox: the prefix of what is requested over NATS, if any: they read it and delete it. legacy: the prefix of a live
    site's pictures, if they lie in this bucket: they read them.
    """
    taking = [_allow("GallimgInbox", (Right.GET, Right.DELETE), _objects(bucket, [inbox], region))] if inbox else []
    return policy(
        _allow("GallimgWorker", WORKER, _objects(bucket, PREFIXES, region)),
        *taking,
        *_reading_legacy(bucket, legacy, region),
        _allow("GallimgWorkerLists", WORKER_ON_BUCKET, _arn(bucket, region)),
    )


def legacy(bucket: str, region: str = "", *, prefix: str) -> Policy:
    """The policy of who reads a live site's pictures in a bucket of its own: nothing but that."""
    return policy(
        *_reading_legacy(bucket, prefix, region), _allow("GallimgLegacyLists", LEGACY_ON_BUCKET, _arn(bucket, region))
    )


def admin(bucket: str, region: str = "") -> Policy:
    """The policy of who runs `manage.py bucket`: settings of the bucket, and objects that `check` makes and removes."""
    probing = (Right.PUT, Right.DELETE, Right.ABORT)
    return policy(
        _allow("GallimgSetup", _SETUP, _arn(bucket, region)),
        _allow("GallimgCheck", probing, _objects(bucket, (f"{prefix}{PROBE}" for prefix in (*PREFIXES, "")), region)),
    )


def public_read(bucket: str, region: str = "") -> Statement:
    """A statement that lets everybody read derivatives; originals and uploads are not named."""
    return {"Sid": PUBLIC_READ, "Effect": "Allow", "Principal": "*"} | _reading(bucket, region)


def tls_only(bucket: str, region: str = "") -> Statement:
    """A statement that refuses plain HTTP. Only for AWS: a server behind a proxy sees nothing else."""
    return {
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": _objects(bucket, PREFIXES, region),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def cdn_read(bucket: str, region: str = "") -> Statement:
    """A statement that lets CloudFront's origin access control read; account and distribution are to be filled in."""
    return {
        "Sid": CDN_READ,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        **_reading(bucket, region),
        "Condition": {
            "StringEquals": {
                "AWS:SourceArn": f"arn:{_partition(region)}:cloudfront::ACCOUNT_ID:distribution/DISTRIBUTION_ID"
            }
        },
    }


def policy(*statements: Statement) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: Iterable[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": [f"s3:{action}" for action in actions], "Resource": resources}


def _reading_legacy(bucket: str, prefix: str, region: str) -> list[Statement]:
    return [_allow("GallimgLegacy", (Right.GET,), _objects(bucket, [prefix], region))] if prefix else []


def _reading(bucket: str, region: str) -> Statement:
    return {"Action": f"s3:{Right.GET}", "Resource": _objects(bucket, PUBLIC_PREFIXES, region)}


def _objects(bucket: str, prefixes: Iterable[str], region: str) -> list[str]:
    return [f"{arn}/{prefix}*" for arn in _arn(bucket, region) for prefix in prefixes]


def _arn(bucket: str, region: str) -> list[str]:
    return [f"arn:{_partition(region)}:s3:::{bucket}"]


def _partition(region: str) -> str:
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rpartition("-")[0].rpartition("-")[0], "aws")
