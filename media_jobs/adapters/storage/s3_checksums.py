"""The checksum that goes with each request that stores bytes: the server refuses what was damaged on the way.

Given by us, in a header. What botocore would add on its own goes behind the body instead, which several servers keep
as part of the object.
"""

import hashlib
from base64 import b64encode
from typing import BinaryIO, TypedDict


class Checksum(TypedDict):
    ChecksumSHA256: str


def checksum(file: BinaryIO) -> Checksum:
    """Of the whole file, which stands at its beginning again afterwards."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").digest()
    file.seek(0)
    return {"ChecksumSHA256": b64encode(digest).decode()}
