"""RAF: Fuji's header, which says where the one preview lies. Its EXIF is the file's."""

from media_jobs.pipeline.formats.common import Bytes
from media_jobs.pipeline.raw.named import Listing

_PLACE_AT, _HEADER_BYTES = 84, 92


def listing(data: Bytes) -> Listing:
    """What the file names."""
    start, size = (int.from_bytes(data[at : at + 4], "big") for at in (_PLACE_AT, _PLACE_AT + 4))
    found = Listing(breaks_off=len(data) < _HEADER_BYTES)
    found.add(((start, start + size),))
    return found
