"""Links to originals, their size limits, and which facts of them are kept."""

from dataclasses import dataclass

from django.conf import settings

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import WrongState
from media_jobs.models import Original
from media_jobs.pipeline.formats.sniff import RAW_FORMATS, Kind
from media_jobs.pipeline.values import Keep
from media_jobs.states import OriginalState

LINK_EXPIRES_S = 300


def link(original: Original) -> str:
    """Return a URL that lets its bearer read the original for five minutes.

    Raises ReadsNotConfigured, and WrongState before a worker has checked a direct upload.
    """
    if original.state != OriginalState.ACTIVE:
        raise WrongState("The file has not been checked yet; its job tells when it has.")
    return store(Role.READ).signed_url(
        original.key,
        filename=original.filename or original.key.rpartition("/")[2],
        content_type=original.content_type,
        expires_s=LINK_EXPIRES_S,
    )


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The largest sizes of files. The first bytes of a file decide which of the two is its limit."""

    picture_bytes: int
    raw_bytes: int

    def of(self, kind: Kind) -> int:
        return self.raw_bytes if kind.format in RAW_FORMATS else self.picture_bytes

    def check(self, kind: Kind, head: bytes) -> None:
        """Raise ImageRefused for a kind of file that is not taken, or one whose first bytes tell that it is not."""

    @property
    def largest_bytes(self) -> int:
        return max(self.picture_bytes, self.raw_bytes)


def size_limits() -> SizeLimits:
    """Return the limits of this service."""
    return SizeLimits(settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES)


def ingest_size_limits() -> SizeLimits:
    """Return the limits of /api/v1/ingest."""
    return SizeLimits(settings.INGEST_MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES)


def largest_bytes() -> int:
    """Return the size of the largest file that any of the APIs takes."""
    return max(size_limits().largest_bytes, ingest_size_limits().largest_bytes)


def keep_by_default() -> Keep:
    """Return which facts are kept of pictures whose uploaders chose nothing."""
    return Keep(
        timestamps=settings.PRESERVE_TIMESTAMPS,
        camera_info=settings.PRESERVE_CAMERA_INFO,
        gps=settings.PRESERVE_GPS,
        device_serial=settings.PRESERVE_DEVICE_SERIAL,
    )
