"""Access to originals."""

from media_jobs.adapters.storage import Role, store
from media_jobs.models import Original

LINK_EXPIRES_S = 300


def link(original: Original) -> str:
    """A URL that lets its bearer read the original for five minutes. Raises ReadsNotConfigured."""
    return store(Role.READ).signed_url(
        original.key,
        filename=original.filename or original.key.rpartition("/")[2],
        content_type=original.content_type,
        expires_s=LINK_EXPIRES_S,
    )
