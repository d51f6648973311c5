"""What everybody is told about public objects, without credentials."""

from functools import cache

import urllib3
from django.conf import settings

from media_jobs.errors import StorageUnavailable

_LIMIT_S = 10.0


def is_public_there(url: str) -> bool:
    """Whether everybody can read a file at that address. Raises StorageUnavailable where nobody says so or not.

    S3 answers 403 for what is not there to whoever may not list.
    """
    try:
        status = anonymous_pool().request("HEAD", url, redirect=False).status
    except urllib3.exceptions.HTTPError as error:
        raise StorageUnavailable("being asked for a public file") from error
    if status >= 500 or status == 429:
        raise StorageUnavailable("being asked for a public file")
    return status < 300


@cache
def anonymous_pool() -> urllib3.PoolManager:
    """Return connections without credentials, which trust whom S3's own do."""
    return urllib3.PoolManager(retries=False, timeout=_LIMIT_S, ca_certs=settings.S3_CA_BUNDLE or None)
