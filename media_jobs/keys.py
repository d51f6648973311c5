"""Where objects live. The first part of a key decides whether the world may read it."""

from uuid import UUID

#: Renditions of the Gallformers seed have folders of their own; all others share `derived/`.
OWN_FOLDERS = frozenset({"full", "medium", "small", "thumb"})
PUBLIC_PREFIXES = (*(f"{name}/" for name in sorted(OWN_FOLDERS)), "derived/")
#: Names that a rendition must not have, because a folder with other rules has it.
RESERVED_NAMES = frozenset({"originals", "uploads", "derived"})


def original_key(image_id: UUID, extension: str) -> str:
    return f"originals/{image_id}.{extension}"


def derivative_key(rendition: str, image_id: UUID, digest: str, extension: str) -> str:
    """`digest` covers all that decides the bytes, so a key never has to change its content."""
    folder = rendition if rendition in OWN_FOLDERS else f"derived/{rendition}"
    return f"{folder}/{image_id}/{digest}.{extension}"


def is_public(key: str) -> bool:
    return key.startswith(PUBLIC_PREFIXES)
