"""Headers of an object, whoever serves it: how long caches keep it, and under which name it is saved."""

from media_jobs import keys

FOR_EVER = "public, max-age=31536000, immutable"
NOT_AT_ALL = "private, no-store"


def cache_control(key: str) -> str:
    """Return the header; objects under public keys never change."""
    return FOR_EVER if keys.is_public(key) else NOT_AT_ALL


def content_disposition(key: str) -> str:
    """Derivatives are inline, named `{image}-{rendition}.{extension}`; private objects are attachments."""
    folder, _, name = key.rpartition("/")
    if not keys.is_public(key):
        return f'attachment; filename="{name}"'
    image, rendition = folder.rpartition("/")[2], folder.removeprefix("derived/").partition("/")[0]
    return f'inline; filename="{image}-{rendition}.{name.rpartition(".")[2]}"'
