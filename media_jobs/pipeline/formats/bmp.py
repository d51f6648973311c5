"""The header of a BMP. Stdlib only."""

import struct
from dataclasses import dataclass

from media_jobs import errors

#: So many first bytes hold the header.
HEAD_BYTES = 64
_OS2_HEADER_BYTES = 12
_HEADER_BYTES = (40, 52, 56, 64, 108, 124)
_BITS = (1, 4, 8, 16, 24, 32)
_EMBEDDED = {4: "a BMP that holds a JPEG", 5: "a BMP that holds a PNG"}
_UNCOMPRESSED = (0, 3, 6)


@dataclass(frozen=True, slots=True)
class Header:
    """`file_bytes`: the least that a whole file has; where run lengths decide, what the file says of itself."""

    width_px: int
    height_px: int
    file_bytes: int


def header(head: bytes) -> Header:
    """Read the header of a file that starts with `head`. Raises UnsupportedFormat, Truncated, Undecodable."""
    if len(head) < 26:
        raise errors.Truncated
    stated_bytes, _, pixels_at, header_bytes = struct.unpack_from("<IIII", head, 2)
    if header_bytes == _OS2_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", head, 18)
        compression = 0
    elif header_bytes in _HEADER_BYTES:
        if len(head) < 34:
            raise errors.Truncated
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", head, 18)
    else:
        raise errors.Undecodable
    if compression in _EMBEDDED:
        raise errors.UnsupportedFormat(_EMBEDDED[compression])
    height = abs(height)  # negative where the first line is the topmost
    if bits not in _BITS:
        raise errors.UnsupportedFormat(f"a BMP with {bits} bits a pixel")
    if width <= 0 or not height:
        raise errors.Undecodable
    line_bytes = (width * bits + 31) // 32 * 4
    return Header(width, height, pixels_at + line_bytes * height if compression in _UNCOMPRESSED else stated_bytes)
