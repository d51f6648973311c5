"""The checksum that goes with each request that stores bytes: the server refuses what was damaged on the way.

Given by us, in a header. What botocore would add on its own goes behind the body instead, which several servers keep
as part of the object.
"""

import hashlib
from base64 import b64encode
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_READ_BYTES = 262_144


class Readable(Protocol):
    def read(self, amount: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


class Checksum(TypedDict):
    ChecksumSHA256: str


def checksum(file: Readable) -> Checksum:
    """Return the checksum of the whole file, which is at its beginning again afterwards."""
    return {"ChecksumSHA256": _digest(file, hashlib.sha256())}


def checksum_from_hex(sha256: str) -> Checksum:
    """Return the same for a sha256 in hexadecimal."""
    return {"ChecksumSHA256": b64encode(bytes.fromhex(sha256)).decode()}


class PartChecksum(StrEnum):
    """How the parts of a multipart upload are checked. Whole objects always go with their sha256."""

    SHA256 = "sha256"  #: announced at the start, sent with each part, repeated at the end, kept with the object
    MD5 = "md5"  #: the oldest header: Cloudflare R2 answers a part with the sha256 by 501

    @property
    def announced(self) -> dict[str, Any]:
        """Arguments for CreateMultipartUpload, without which AWS refuses the parts' checksums."""
        return {"ChecksumAlgorithm": "SHA256"} if self is PartChecksum.SHA256 else {}

    def of(self, part: Readable) -> dict[str, Any]:
        """Return arguments for UploadPart. The part is at its beginning again afterwards."""
        if self is PartChecksum.SHA256:
            return dict(checksum(part))
        return {"ContentMD5": _digest(part, hashlib.md5(usedforsecurity=False))}

    def completed(self, number: int, etag: str, sent: dict[str, Any]) -> "CompletedPartTypeDef":
        """Return an entry for CompleteMultipartUpload. sent: what `of` gave for the part."""
        if self is PartChecksum.SHA256:
            return {"PartNumber": number, "ETag": etag, "ChecksumSHA256": sent["ChecksumSHA256"]}
        return {"PartNumber": number, "ETag": etag}


def _digest(file: Readable, digest: "hashlib._Hash") -> str:
    file.seek(0)
    while piece := file.read(_READ_BYTES):
        digest.update(piece)
    file.seek(0)
    return b64encode(digest.digest()).decode()
