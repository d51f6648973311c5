"""A form by which a browser stores one object in a bucket: POST Object of S3, with a signed policy."""

from typing import TYPE_CHECKING

from media_jobs.adapters.storage.headers import NOT_AT_ALL
from media_jobs.ports import Form

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def presigned_form(
    client: "S3Client",
    bucket: str,
    key: str,
    *,
    url: str,
    content_type: str,
    least_bytes: int,
    most_bytes: int,
    expires_s: int,
) -> Form:
    """Sign a form whose policy allows this key, these headers and this size, and no other fields.

    url: of the bucket, at its region: no browser follows a redirect to another origin.
    """
    headers = {"Content-Type": content_type, "Cache-Control": NOT_AT_ALL}
    made = client.generate_presigned_post(
        bucket,
        key,
        Fields=dict(headers),
        Conditions=[*({name: value} for name, value in headers.items()), _sizes(least_bytes, most_bytes)],
        ExpiresIn=expires_s,
    )
    return Form(url, {name: str(value) for name, value in made["fields"].items()})


def _sizes(least_bytes: int, most_bytes: int) -> list[str | int]:
    return ["content-length-range", least_bytes, most_bytes]
