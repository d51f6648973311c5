"""Keys of objects. The first part of a key decides whether everybody may read it."""

import re
from uuid import UUID

#: Renditions of the Gallformers seed have folders of their own; all others share `derived/`.
OWN_FOLDERS = frozenset({"full", "medium", "small", "thumb"})
PUBLIC_PREFIXES = (*(f"{name}/" for name in sorted(OWN_FOLDERS)), "derived/")
ORIGINALS_PREFIX = "originals/"
UPLOADS_PREFIX = "uploads/"
PRIVATE_PREFIXES = (ORIGINALS_PREFIX, UPLOADS_PREFIX)
PREFIXES = (*PRIVATE_PREFIXES, *PUBLIC_PREFIXES)
#: Names that a rendition must not have, because a folder with other rules has it.
RESERVED_NAMES = frozenset({"originals", "uploads", "derived", "preview"})


def original_key(image_id: UUID, extension: str) -> str:
    return f"originals/{image_id}.{extension}"


def staging_key(upload_id: UUID) -> str:
    """Return the key of a direct upload, until a worker has checked it and stored it as an original."""
    return f"uploads/{upload_id}"


def derivative_key(rendition: str, image_id: UUID, digest: str, extension: str) -> str:
    """Return the key of a derivative. `digest` covers all that decides the bytes, so they never change."""
    folder = rendition if rendition in OWN_FOLDERS else f"derived/{rendition}"
    return f"{folder}/{image_id}/{digest}.{extension}"


def preview_key(preview_id: UUID, number: int, image_id: UUID, extension: str) -> str:
    """Return the key of a file that shows what a preset would make. No row names it for long."""
    return derivative_key("preview", image_id, f"{preview_id.hex}-{number}", extension)


def digest_of(key: str) -> str:
    """Return the digest in the key of a derivative."""
    return key.rpartition("/")[2].partition(".")[0]


_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OURS = re.compile(
    rf"originals/(?P<original>{_UUID})\.\w+|(?:{'|'.join(sorted(OWN_FOLDERS))}|derived/[^/]+)/(?P<image>{_UUID})/[^/]+"
)
_UPLOAD = re.compile(rf"uploads/{_UUID}")


def is_ours(key: str) -> bool:
    """Whether this service makes such keys; a bucket may hold others."""
    return bool(_OURS.fullmatch(key) or _UPLOAD.fullmatch(key))


def image_of(key: str) -> UUID | None:
    """Return the image whose original or derivative has this key; None for any other key."""
    found = _OURS.fullmatch(key)
    return UUID(found["original"] or found["image"]) if found else None


def is_public(key: str) -> bool:
    return key.startswith(PUBLIC_PREFIXES)


_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"  # never `..`, never hidden, nothing that a URL or file system reads
_KEY = re.compile(rf"(?=.{{1,255}}\Z){_PART}(?:/{_PART})*")


def checked(key: str) -> str:
    """Return `key` if it is one. Raises ValueError for what could leave the storage: `..`, `/x`, nothing."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not the key of an object: {key[:300]!r}")
    return key
