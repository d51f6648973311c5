"""Finds out what a file really is, from its header. No pixel is decoded here."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pyvips

from media_jobs import errors
from media_jobs.pipeline import orientation
from media_jobs.pipeline.formats import bmp, gif, heif, jpeg_frame, png, riff
from media_jobs.pipeline.formats.colours import in_exif
from media_jobs.pipeline.formats.colours.in_exif import Said
from media_jobs.pipeline.formats.common import Bytes, Damaged, mapped
from media_jobs.pipeline.formats.frames import frames
from media_jobs.pipeline.formats.pixels import tiff_page, tiff_samples
from media_jobs.pipeline.formats.pixels.reading import Reading
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, RAW_FORMATS, raw_format, sniff
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.readers import memory_estimate, raw, repair, untagged, vips
from media_jobs.pipeline.readers.damage import refusal
from media_jobs.pipeline.values import Limits


def probe(path: Path, limits: Limits, *, preview: int = 0) -> Found:
    """Read the header. Raises ImageRefused; file size and frames are checked before a decoder sees the file.

    preview: which one of a raw file, counted from the largest.
    """
    if path.stat().st_size > limits.bytes:
        raise errors.FileTooLarge(limit_bytes=limits.bytes)
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES)).format
    if kind == "tiff":
        with mapped(path) as data:
            kind = raw_format(data) or kind
    if kind in RAW_FORMATS:
        return _preview(path, kind, limits, preview)
    if kind == "bmp":
        return _bmp(path)
    if kind in ("avif", "heic"):
        return _heif(path, limits)
    if kind == "tiff":
        return _tiff(path, limits)
    if kind == "webp" and repair.is_cut_webp(path):
        return _repaired_webp(path, limits)
    return _plain(path, kind, limits)


@contextmanager
def _temporary() -> Iterator[Path]:
    """A file for `Found.path`, removed where an exception comes."""
    handle, name = tempfile.mkstemp()
    os.close(handle)
    try:
        yield Path(name)
    except BaseException:
        Path(name).unlink()
        raise


def _preview(path: Path, kind: str, limits: Limits, number: int) -> Found:
    """The header of a preview in a raw file, or of the next one that has a header."""
    found = raw.previews(path, kind, limits.raw_preview_px)
    following = number + 1 if number + 1 < len(found) else 0
    with mapped(path) as data:
        said = in_exif.of_raw(data)
    with _temporary() as jpeg:
        found[number].write(path, jpeg)
        try:
            header = _plain(jpeg, "jpeg", limits, otherwise=said)
        except errors.Undecodable:
            if not following:
                raise
        else:
            return replace(
                header,
                original=path,
                format=kind,
                orientation=found[number].tag,
                turn=found[number].orientation,
                next_preview=following,
            )
    jpeg.unlink()
    return _preview(path, kind, limits, following)


def _repaired_webp(path: Path, limits: Limits) -> Found:
    with _temporary() as copy:
        if not repair.close_webp(path, copy):
            raise errors.Truncated
        return replace(_plain(copy, "webp", limits), original=path)


def _plain(path: Path, kind: str, limits: Limits, otherwise: Said = Said.NOTHING) -> Found:
    """The header of a file that libvips reads, AVIF and TIFF excepted. otherwise: of a JPEG that names no colours."""
    pages = _inspect(path, kind, limits)
    header = _opened(path, kind, limits)
    buffered_pixels = memory_estimate.others(kind, header)
    return _as_libvips_says(path, kind, header, pages=pages, buffered_pixels=buffered_pixels, otherwise=otherwise)


def _opened(path: Path, kind: str, limits: Limits, **options: int) -> pyvips.Image:
    """What libvips makes of the header. Raises ImageRefused."""
    try:
        return vips.load(kind, str(path), **options)
    except pyvips.Error as error:
        raise refusal(path, kind, str(error), memory_bytes=limits.memory_bytes) from error


def _as_libvips_says(
    path: Path,
    kind: str,
    header: pyvips.Image,
    *,
    pages: int,
    buffered_pixels: int,
    otherwise: Said = Said.NOTHING,
) -> Found:
    tag = orientation.valid(vips.number(header, "orientation", orientation.UPRIGHT))
    profile = None
    if kind == "jpeg":
        profile = untagged.jpeg(header, otherwise)
    elif kind == "png":
        with mapped(path) as data:
            tag = png.exif_orientation(data) or tag
            profile = untagged.png(data, header)
    return Found(
        original=path,
        path=path,
        format=kind,
        coded_as=kind,
        width_px=header.width,
        height_px=header.height,
        orientation=tag,
        turn=tag,
        frame_pixels=header.width * header.height,
        pages=pages,
        pixel_bytes=header.bands * _SAMPLE_BYTES.get(header.format, 8),
        transparent=bool(header.hasalpha()),
        size_bytes=path.stat().st_size,
        buffered_pixels=buffered_pixels,
        profile=profile,
    )


def _tiff(path: Path, limits: Limits) -> Found:
    """The header of the page that is the picture. Where decoders stumble over what lies behind, they get a copy."""
    pages = _inspect(path, "tiff", limits)
    with mapped(path) as data:
        page = tiff_page.find(data)
        samples = tiff_samples.samples(page)

    def header(file: Path) -> Found:
        image = _opened(file, "tiff", limits, page=page.index)
        found = _as_libvips_says(file, "tiff", image, pages=pages, buffered_pixels=memory_estimate.tiff(page, samples))
        return replace(found, original=path, reading=Reading(page=page.index, samples=samples))

    vips.noted()
    is_followed = page.directory.following != 0
    if not samples.overwrites:
        try:
            found = header(path)
        except errors.ImageRefused:
            if not is_followed:
                raise
        else:
            if not (vips.noted() and is_followed):
                return found
    with _temporary() as copy:
        repair.overwrite(path, copy, (*samples.overwrites, page.last()))
        return header(copy)


def _inspect(path: Path, kind: str, limits: Limits) -> int:
    """The number of frames or pages. Raises UnsupportedFormat, TooManyPixels, TooManyFrames, Undecodable."""
    with mapped(path) as data:
        if kind == "jpeg":
            jpeg_frame.refuse_rare(data)
        if kind == "webp" and (pixels := _webp_pixels(data)) > limits.pixels:
            raise errors.TooManyPixels(pixels=pixels, limit=limits.pixels)  # libvips makes room for them at once
        try:
            pages = frames(kind, data, limits.frames)
        except (Damaged, gif.TooManyBlocks) as error:
            raise refusal(path, kind, str(error), memory_bytes=limits.memory_bytes) from error
    if pages > limits.frames:
        raise errors.TooManyFrames(frames=pages, limit=limits.frames)
    return pages


def _webp_pixels(data: Bytes) -> int:
    """0 where it is damaged; the decoder will say so."""
    with suppress(Damaged):
        if picture := next(riff.chunks(data), None):
            width, height, _ = riff.canvas(data, picture)
            return width * height
    return 0


def _heif(path: Path, limits: Limits) -> Found:
    """The header of an AVIF or HEIC, by its boxes alone. The decoder turns and mirrors as they say; EXIF has no say.

    Crops are ours: libheif 1.23.0 takes a picture that is much larger than its crop for an attack. So the decoder gets
    a copy in which every crop is as large as the picture.
    """
    with mapped(path) as data:
        header = heif.header(data)
    found = Found(
        original=path,
        path=path,
        format=header.format,
        coded_as=header.format,
        width_px=header.width_px,
        height_px=header.height_px,
        orientation=orientation.from_exif(header.exif),
        turn=orientation.UPRIGHT,
        frame_pixels=max(header.own_pixels, header.part_pixels),
        pages=_inspect(path, header.format, limits),
        pixel_bytes=3 + header.has_helpers + (header.bits > 8),
        transparent=header.transparent,
        size_bytes=path.stat().st_size,
        buffered_pixels=memory_estimate.heif(header),
        profile=untagged.heif(header.primaries),
        reading=Reading(
            whole_px=(header.frame.width_px, header.frame.height_px),
            window=header.frame.window if header.frame.is_cropped else None,
            premultiplied=header.format == "avif" and header.premultiplied,
        ),
    )
    if not header.frame.is_cropped:
        return found
    with _temporary() as copy:
        repair.overwrite(path, copy, header.frame.wide_open)
        return replace(found, path=copy)


def _bmp(path: Path) -> Found:
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        header = bmp.header(file.read(bmp.HEAD_BYTES))
    if size_bytes < header.file_bytes:
        raise errors.Truncated
    return Found(
        original=path,
        path=path,
        format="bmp",
        coded_as="bmp",
        width_px=header.width_px,
        height_px=header.height_px,
        orientation=orientation.UPRIGHT,
        turn=orientation.UPRIGHT,
        frame_pixels=header.width_px * header.height_px,
        pages=1,
        pixel_bytes=4,
        size_bytes=size_bytes,
        buffered_pixels=memory_estimate.bmp(header),
    )


_SAMPLE_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4}
