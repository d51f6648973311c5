"""BMPs whose alpha hides everything, and GIFs whose first frame does not cover their screen."""

import struct

from PIL import Image

from tests.formats import tiffs
from tests.images import CORNERS, encoded
from tests.odd import WHITE, Corners, Odd


def bmp_with_alpha(*alphas: int, size_px: tuple[int, int] = (32, 16)) -> bytes:
    """A BMP that says where in its 32 bits alpha is; that of each corner is given."""
    pixels = [bytes((*colour[::-1], alpha)) for colour, alpha in zip(CORNERS, alphas, strict=True)]
    lines = tiffs.quadrants(*pixels, size_px=size_px)
    at = 14 + 108
    masks = struct.pack("<4I", 0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, size_px[0], -size_px[1], 1, 32, 3, len(lines), 0, 0, 0, 0)
    return struct.pack("<2sIII", b"BM", at + len(lines), 0, at) + header + masks + b"BGRs".ljust(52, b"\0") + lines


def gif_smaller_than_its_screen(*, transparent: bool = False) -> bytes:
    """A screen of 64 × 40 whose first frame, 32 × 20 in its top left corner, is red."""
    frame = encoded(Image.new("P", (32, 20)), "GIF")
    picture = frame[frame.index(b",\0\0\0\0") : -1]
    flags_and_colours = b"\x80\0\0" + bytes(CORNERS[0]) + b"\0\0\0"
    control = b"\x21\xf9\x04\x01\0\0\x01\0" if transparent else b""
    at = picture.index(b",") + 9
    local_bytes = 3 << (picture[at] & 7) + 1 if picture[at] & 0x80 else 0
    picture = picture[:at] + b"\0" + picture[at + 1 + local_bytes :]
    return b"GIF89a" + struct.pack("<HH", 64, 40) + flags_and_colours + control + picture + b";"


def of_bmp_and_gif() -> dict[str, Odd]:
    around: Corners = (CORNERS[0], WHITE, WHITE, WHITE)
    return {
        "bmp-alpha-all-zero": Odd(bmp_with_alpha(0, 0, 0, 0)),
        "bmp-alpha": Odd(bmp_with_alpha(255, 255, 255, 0), corners=(*CORNERS[:3], WHITE)),
        "gif-first-frame-smaller": Odd(gif_smaller_than_its_screen(), (64, 40), around),
        "gif-first-frame-smaller-transparent": Odd(gif_smaller_than_its_screen(transparent=True), (64, 40), around),
    }
