"""The previews that a camera put into its raw file: found by our own tables of layouts, and else by LibRaw.

The raw data itself is never unpacked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from media_jobs import errors
from media_jobs.pipeline.formats import jpeg_frame, tiff
from media_jobs.pipeline.formats.common import Bytes, Damaged, mapped
from media_jobs.pipeline.formats.jpeg import APP1
from media_jobs.pipeline.raw import choice
from media_jobs.pipeline.raw.named import Listing, Px
from media_jobs.pipeline.readers import libraw

_SIDEWAYS = 5
#: Of one raw file, so many previews are tried: the largest that decodes is taken.
_MAX_TRIED = 4


@dataclass(frozen=True, slots=True)
class Preview:
    """A JPEG, and the turn (EXIF, 1 to 8) that its pixels still need.

    tag: the file's own orientation, or else the preview's. The JPEG may have EXIF of its own, which is accounted for
    already: whoever obeys it as well turns the picture twice.
    """

    source: choice.Whole | bytes  #: where it lies in the file, or itself
    size_px: Px
    tag: int
    orientation: int

    def write(self, path: Path, into: Path) -> None:
        """Copy it out of the raw file at `path`."""
        if isinstance(self.source, bytes):
            into.write_bytes(self.source)
            return
        with mapped(path) as data, into.open("wb") as file:
            file.writelines(self.source.chunks(data))


def previews(path: Path, kind: str, least_px: int) -> list[Preview]:
    """JPEGs in the raw file whose longer side has `least_px` or more, the largest first. `kind` as `sniff` calls it.

    LibRaw is asked where the tables name none. Raises RawWithoutPreview, Truncated, Undecodable, MemoryError.
    """
    with mapped(path) as data:
        found, usable = _listed(data, kind)
    large = [whole for whole in usable if max(whole.size_px) >= least_px]
    if large:
        return [_from_tables(whole, found) for whole in large[:_MAX_TRIED]]
    extracted = _from_libraw(path, found)
    if extracted and max(extracted.size_px) >= least_px:
        return [extracted]
    best = max(_sizes(usable, extracted), key=max, default=(0, 0))
    raise errors.RawWithoutPreview(size_px=best, least_px=least_px, coding=_larger_unread(found, best))


def _listed(data: Bytes, kind: str) -> tuple[Listing, list[choice.Whole]]:
    """What the file names, and what of it can be used; nothing where its structure is damaged. Raises Truncated."""
    try:
        found = choice.listing(data, kind)
    except Damaged:
        return Listing(), []
    return found, choice.whole_previews(data, found)


def _from_tables(whole: choice.Whole, found: Listing) -> Preview:
    tag = found.orientation or whole.own_orientation or 1
    return Preview(whole, whole.size_px, tag, _turn(tag, whole.size_px, found.raw_px))


def _from_libraw(path: Path, found: Listing) -> Preview | None:
    """LibRaw's preview, if it has one. Raises Truncated, Undecodable, MemoryError where nothing else is known."""
    try:
        extracted = libraw.extract(path)
    except errors.ImageRefused:
        if found.previews or found.unread:
            return None
        raise
    if extracted is None:
        return None
    size_px = jpeg_frame.size_px(extracted.jpeg)
    tag = found.orientation or _own_orientation(extracted.jpeg) or extracted.orientation
    return Preview(extracted.jpeg, size_px, tag, _turn(tag, size_px, extracted.raw_px))


def _sizes(usable: list[choice.Whole], extracted: Preview | None) -> Iterator[Px]:
    yield from (whole.size_px for whole in usable)
    if extracted:
        yield extracted.size_px


def _larger_unread(found: Listing, best_px: Px) -> str:
    """The coding of a preview that would be larger, if only it were read here; empty if there is none."""
    return next(
        (other.coding for other in found.unread if max(other.size_px) > max(best_px) or not max(other.size_px)), ""
    )


def _turn(tag: int, size_px: Px, raw_px: Px) -> int:
    """The turn that pixels need: cameras store previews as they store raw data, so the file's tag goes for both.

    A preview that lies across the raw data has been turned already.
    """
    (width, height), (raw_width, raw_height) = size_px, raw_px
    turned = (width - height) * (raw_width - raw_height) < 0
    return 1 if turned and tag >= _SIDEWAYS else tag


def _own_orientation(jpeg: bytes) -> int:
    exif = (jpeg[segment.start : segment.end] for segment in jpeg_frame.head(jpeg) if segment.marker == APP1)
    values = (tiff.orientation(block) for block in exif if block.startswith(tiff.EXIF_MARK))
    return next((value for value in values if value), 0)
