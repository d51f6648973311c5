"""How long others may keep what they were given."""

from media_jobs import keys

FOR_EVER = "public, max-age=31536000, immutable"
NOT_AT_ALL = "private, no-store"


def cache_control(key: str) -> str:
    """The Cache-Control header of an object: what lies under a public key never changes."""
    return FOR_EVER if keys.is_public(key) else NOT_AT_ALL
