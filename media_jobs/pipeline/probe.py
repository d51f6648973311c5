"""What this file really is, from its header. No pixel is decoded here."""

from dataclasses import dataclass
from pathlib import Path

import pyvips

from media_jobs.pipeline.damage import refusal
from media_jobs.pipeline.formats import tiff
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, refuse_raw, sniff
from media_jobs.pipeline.readers import vips
from media_jobs.pipeline.values import Limits


@dataclass(frozen=True, slots=True)
class Found:
    """A picture's header. Sizes are as stored, before rotation; `orientation` is the EXIF tag, 1 to 8."""

    path: Path
    format: str
    width_px: int
    height_px: int
    orientation: int
    pages: int
    pixel_bytes: int
    size_bytes: int
    held_pixels: int  #: how many pixels the decoder must hold at once, beyond a few lines
    exif: bytes

    @property
    def pixels(self) -> int:
        return self.width_px * self.height_px

    @property
    def sideways(self) -> bool:
        return self.orientation >= 5

    @property
    def displayed_px(self) -> tuple[int, int]:
        """Width and height as a person sees them."""
        size = (self.width_px, self.height_px)
        return size[::-1] if self.sideways else size


def probe(path: Path, limits: Limits) -> Found:
    """Raises UnsupportedFormat, Truncated, Undecodable, TooMuchMemory."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES)).format
    held_tiff_pixels = _inspect_tiff(path) if kind == "tiff" else 0
    try:
        header = vips.load(kind, str(path))
    except pyvips.Error as error:
        raise refusal(path, kind, str(error), memory_bytes=limits.memory_bytes) from error
    width, height = header.width, header.height
    return Found(
        path=path,
        format=kind,
        width_px=width,
        height_px=height,
        orientation=_orientation(header),
        pages=_integer(header, "n-pages", 1),
        pixel_bytes=header.bands * _SAMPLE_BYTES.get(header.format, 8),
        size_bytes=size_bytes,
        held_pixels=held_tiff_pixels if kind == "tiff" else _held_pixels(kind, header),
        exif=_blob(header, "exif-data"),
    )


_SAMPLE_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4}


def _held_pixels(format: str, header: pyvips.Image) -> int:
    pixels = int(header.width * header.height)
    if format == "jpeg":
        if not _integer(header, "jpeg-multiscan", 0):
            return 0
        # Coefficients take two bytes a sample and must all be there before the first line comes out.
        halved = header.get_typeof("jpeg-chroma-subsample") and header.get("jpeg-chroma-subsample") == "4:2:0"
        return pixels if halved else 2 * pixels
    if format == "png":
        return pixels if _integer(header, "interlaced", 0) else 0
    if format == "gif":
        return 3 * pixels  # canvas, the frame before it, and what libvips copies out
    return 5 * pixels  # WebP: the frame, the canvas before and after it, and what libvips copies out


def _inspect_tiff(path: Path) -> int:
    """Pixels of one strip, or of one row of tiles, of the first page. Raises UnsupportedFormat for raw files."""
    with tiff.mapped(path) as data:
        refuse_raw(data)
        try:
            structure = tiff.Tiff.parse(data)
            tags = structure.directory(structure.first)
        except tiff.Damaged:
            return 0
    width, height = tiff.number(tags, 0x0100), tiff.number(tags, 0x0101)
    if tile_height := tiff.number(tags, 0x0143):
        return 2 * tile_height * max(width, tiff.number(tags, 0x0142))
    return 2 * width * min(height, tiff.number(tags, 0x0116, height))  # as stored, and unpacked


def _orientation(header: pyvips.Image) -> int:
    value = _integer(header, "orientation", 1)
    return value if 1 <= value <= 8 else 1


def _integer(header: pyvips.Image, field: str, default: int) -> int:
    return int(header.get(field)) if header.get_typeof(field) else default


def _blob(header: pyvips.Image, field: str) -> bytes:
    return bytes(header.get(field)) if header.get_typeof(field) else b""
