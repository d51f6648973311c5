"""Real bytes for tests: pictures of every kind that the service meets, made on the spot.

The quadrants of `quadrants()` have the colours of `CORNERS`, so that a test can see which way is up.
"""

import io
import struct
import zlib
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL import Image, ImageDraw

from media_jobs.demo.exif_writer import Facts, exif_block, with_facts

#: Top left, top right, bottom left, bottom right.
CORNERS = ((220, 30, 30), (30, 160, 40), (30, 50, 200), (240, 220, 60))

CAMERA = Facts(
    make="Gallmann",
    model="Pocket G1",
    serial="SN-4711-0815",
    taken=datetime(2024, 5, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))),
    latitude=47.3769,
    longitude=8.5417,
    maker_note=b"GALLMANN private notes",
    creator="Ada Photographer",
)
#: What must never be found in a derivative of a picture with the facts of `CAMERA`.
SECRETS = (b"SN-4711-0815", b"GALLMANN", b"Gallmann", b"Pocket G1")

_STORED_BY = {  # how to turn a displayed picture into what a camera stores with this orientation
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quadrants(width_px: int = 640, height_px: int = 480, *, orientation: int = 1) -> Image.Image:
    """The test picture, `width_px` × `height_px` as displayed, stored as a camera would at `orientation`."""
    picture = Image.new("RGB", (width_px, height_px))
    draw = ImageDraw.Draw(picture)
    for index, colour in enumerate(CORNERS):
        left, top = (index % 2) * (width_px // 2), (index // 2) * (height_px // 2)
        draw.rectangle((left, top, width_px, height_px), fill=colour)
    turn = _STORED_BY[orientation]
    return picture if turn is None else picture.transpose(turn)


def encoded(picture: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def jpeg(
    width_px: int = 640,
    height_px: int = 480,
    *,
    orientation: int = 1,
    facts: Facts | None = None,
    thumbnail: bool = False,
    **options: Any,
) -> bytes:
    """`facts` (for instance CAMERA) are written as EXIF and XMP; sizes are as displayed."""
    plain = encoded(quadrants(width_px, height_px, orientation=orientation), "JPEG", quality=90, **options)
    if facts is None and orientation == 1:
        return plain
    small = encoded(quadrants(160, 120, orientation=orientation), "JPEG") if thumbnail else b""
    return with_facts(plain, replace(facts or Facts(), orientation=orientation, thumbnail_jpeg=small))


def exif(facts: Facts) -> bytes:
    """The EXIF for the `exif=` option of Pillow's other encoders."""
    return b"Exif\0\0" + exif_block(facts)


def png(width_px: int = 640, height_px: int = 480, **options: Any) -> bytes:
    return encoded(quadrants(width_px, height_px), "PNG", **options)


def webp(width_px: int = 640, height_px: int = 480, **options: Any) -> bytes:
    return encoded(quadrants(width_px, height_px), "WEBP", quality=90, **options)


def gif(width_px: int = 640, height_px: int = 480, *, frames: int = 1) -> bytes:
    first = quadrants(width_px, height_px).quantize(16)
    rest = [Image.new("P", first.size, index % 4) for index in range(frames - 1)]
    return encoded(first, "GIF", save_all=True, append_images=rest)


def tiff(width_px: int = 640, height_px: int = 480, **options: Any) -> bytes:
    return encoded(quadrants(width_px, height_px), "TIFF", **options)


def avif(width_px: int = 64, height_px: int = 48) -> bytes:
    return encoded(quadrants(width_px, height_px), "AVIF")


def bmp(width_px: int = 64, height_px: int = 48) -> bytes:
    return encoded(quadrants(width_px, height_px), "BMP")


def cmyk_jpeg(ink: tuple[int, int, int, int], side_px: int = 64) -> bytes:
    """One flat colour; `ink` is cyan, magenta, yellow and black, 0 to 255."""
    return encoded(Image.new("CMYK", (side_px, side_px), ink), "JPEG", quality=95)


def flat_jpeg(colour: tuple[int, int, int], *, profile: bytes = b"", side_px: int = 64) -> bytes:
    return encoded(Image.new("RGB", (side_px, side_px), colour), "JPEG", quality=95, subsampling=0, icc_profile=profile)


def deep_png(value: int, side_px: int = 64) -> bytes:
    """A grey PNG of 16 bits; `value` is 0 to 65535."""
    return encoded(Image.new("I;16", (side_px, side_px), value), "PNG")


def see_through_png(colour: tuple[int, int, int, int], side_px: int = 64) -> bytes:
    return encoded(Image.new("RGBA", (side_px, side_px), colour), "PNG")


def cut(data: bytes, share: float = 0.6) -> bytes:
    """The file as an interrupted copy leaves it."""
    return data[: int(len(data) * share)]


def damaged(data: bytes) -> bytes:
    """The file with its middle overwritten and its end in place."""
    third = len(data) // 3
    return data[:third] + b"\xa5" * third + data[2 * third :]


# --- bombs: small files that claim to be huge -----------------------------------------------------


def jpeg_bomb(side_px: int = 64_250, size_bytes: int = 5_000) -> bytes:
    start = jpeg(16, 16)
    frame = start.index(b"\xff\xc0")
    claimed = start[: frame + 5] + struct.pack(">HH", side_px, side_px) + start[frame + 9 :]
    return claimed.removesuffix(b"\xff\xd9").ljust(size_bytes - 2, b"\0") + b"\xff\xd9"


def png_bomb(side_px: int = 65_536) -> bytes:
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def webp_bomb(side_px: int = 16_383) -> bytes:
    start = webp(16, 16)
    frame = start.index(b"\x9d\x01\x2a") + 3
    return start[:frame] + struct.pack("<HH", side_px, side_px) + start[frame + 4 :]


def gif_with(frames: int, side_px: int = 8) -> bytes:
    """A GIF of very many tiny frames, the first of which covers the canvas."""
    head = b"GIF89a" + struct.pack("<HH", side_px, side_px) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    pixels = b"\x02" + _gif_black(side_px * side_px) + b"\0"
    first = b"\x2c" + struct.pack("<HHHHB", 0, 0, side_px, side_px, 0) + pixels
    tiny = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return head + first + tiny * (frames - 1) + b"\x3b"


def _gif_black(pixels: int) -> bytes:
    """Sub-blocks of LZW data for black pixels: a clear code before each pair keeps codes three bits long."""
    codes = [code for _ in range((pixels + 1) // 2) for code in (4, 0, 0)] + [5]
    bits = sum(code << (3 * at) for at, code in enumerate(codes))
    data = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    blocks = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(block)]) + block for block in blocks)


def gif_bomb(side_px: int = 30_000) -> bytes:
    """One frame that claims `side_px` squared pixels and has a handful."""
    head = b"GIF89a" + struct.pack("<HH", side_px, side_px) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, side_px, side_px, 0) + b"\x02\x02\x44\x01\0" + b"\x3b"


# --- camera raw files in TIFF clothing ------------------------------------------------------------


def raw_tiff(*tags: tuple[int, int, int], make: str = "", at: int = 8, order: str = "<") -> bytes:
    """A TIFF header with one directory at the offset `at`; `tags` are (tag, type, value)."""
    entries = sorted([*tags, *([(0x010F, 2, 0)] if make else [])])
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, at).ljust(at, b"\0")
    text = make.encode() + b"\0"
    text_at = at + 2 + 12 * len(entries) + 4
    directory = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        count, held = (len(text), text_at) if tag == 0x010F else (1, value)
        packed = struct.pack(order + "HH", held, 0) if kind == 3 else struct.pack(order + "I", held)
        directory += struct.pack(order + "HHI", tag, kind, count) + packed
    return head + directory + struct.pack(order + "I", 0) + text
