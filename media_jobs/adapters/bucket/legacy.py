"""Finds out whether a live site's pictures can be read. Nothing else is tried: nothing is ever written there."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.adapters.bucket.answers import BucketError, may, sentence
from media_jobs.adapters.bucket.findings import Finding, Verdict
from media_jobs.adapters.bucket.policies import Right

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Reader = tuple[str, "S3Client"]  # and whose credentials it has


def check_reading(readers: Sequence[Reader], bucket: str, prefix: str) -> Iterator[Finding]:
    """Let each reader ask for one of the site's own files below `prefix`. The first one lists them."""
    lister, client = readers[0]
    try:
        found = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", [])
    except (ClientError, BotoCoreError) as error:
        yield Finding(
            lister, Right.LIST, Verdict.MISSING, f"on {bucket}, where the site's pictures are: {sentence(error)}"
        )
        return
    where = f"{prefix} of {bucket}, where the site's pictures are"
    for name, client in readers:
        if found:
            yield _reads(name, client, bucket, found[0]["Key"], where)
        else:
            yield Finding(name, Right.GET, Verdict.HINT, f"not tried: nothing lies in {where}")


def _reads(name: str, client: "S3Client", bucket: str, key: str, where: str) -> Finding:
    try:
        allowed = may(client.head_object, Bucket=bucket, Key=key)  # the same right, and no body
    except BucketError as error:
        return Finding(name, Right.GET, Verdict.MISSING, str(error))
    return Finding(name, Right.GET, Verdict.THERE if allowed else Verdict.MISSING, where)
