"""The first bytes decide, whatever a name says."""

import subprocess
import sys

import pytest

from media_jobs import errors
from media_jobs.pipeline.formats.sniff import refuse_raw, sniff
from tests import images

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.mark.parametrize(
    ("data", "format", "extension"),
    [
        (images.jpeg(32, 32), "jpeg", "jpg"),
        (images.png(32, 32), "png", "png"),
        (images.webp(32, 32), "webp", "webp"),
        (images.gif(32, 32), "gif", "gif"),
        (images.tiff(32, 32), "tiff", "tif"),
        (images.tiff(32, 32, big_tiff=True), "tiff", "tif"),
        (images.raw_tiff((0x100, 3, 10), order=">"), "tiff", "tif"),
    ],
)
def test_accepted_formats_are_known_by_their_first_bytes(data: bytes, format: str, extension: str) -> None:
    kind = sniff(data[:4096])
    assert (kind.format, kind.extension, kind.content_type) == (format, extension, f"image/{format}")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (images.avif(), "an AVIF picture"),
        (images.bmp(), "a BMP picture"),
        (HEIC, "a HEIC picture"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", "an AVIF picture"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a Canon CR3 raw file"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a QuickTime video"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "a video (MP4)"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0", "a PostScript document"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"\0\0\1\0\1\0", "an icon file (ICO)"),
        (b"PK\3\4", "a ZIP archive or Office document"),
        (b"  <svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x --><svg/>", "an SVG drawing"),
        (b"<?xml version='1.0'?><note/>", "an XML document"),
        (b"<!DOCTYPE html><p>", "a web page (HTML)"),
        (b"P6\n10 10\n255\n", "a PPM picture"),
        (b"IIRO\x08\0\0\0", "an Olympus ORF raw file"),
        (b"IIU\0\x18\0\0\0", "a Panasonic RW2 raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a Fujifilm RAF raw file"),
        (b"II*\0\x10\0\0\0CR\2\0", "a Canon CR2 raw file"),
    ],
)
def test_what_is_refused_is_named_in_plain_words(data: bytes, found: str) -> None:
    with pytest.raises(errors.UnsupportedFormat, match="accepted are") as refused:
        sniff(data)
    assert found in str(refused.value)


@pytest.mark.parametrize("data", [b"", b"\0", b"hello", b"RIFF\0\0\0\0", b"RIFF\0\0\0\0XXXX", bytes(4096)])
def test_unknown_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(errors.UnsupportedFormat, match="not a picture of a known format"):
        sniff(data)


DNG = ((0xC612, 1, 4), (0x100, 3, 160))
PREVIEW_AND_SUBIFDS = ((0xFE, 4, 1), (0x100, 3, 160), (0x14A, 4, 500))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (images.raw_tiff(*DNG), "a DNG raw file"),
        (images.raw_tiff(*DNG, order=">"), "a DNG raw file"),
        (images.raw_tiff(*PREVIEW_AND_SUBIFDS, make="NIKON CORPORATION"), "a Nikon NEF raw file"),
        (images.raw_tiff(*PREVIEW_AND_SUBIFDS, make="SONY"), "a Sony ARW raw file"),
        (images.raw_tiff((0x100, 3, 160), (0x106, 3, 32803), make="PENTAX"), "a Pentax PEF raw file"),
        (images.raw_tiff((0x100, 3, 160), (0x103, 3, 34713)), "a camera's raw file"),
    ],
)
def test_raw_files_in_tiff_clothing_do_not_pass(data: bytes, found: str) -> None:
    with pytest.raises(errors.UnsupportedFormat) as refused:
        sniff(data)
    assert found in str(refused.value)


def test_a_raw_file_whose_directory_lies_beyond_the_head_is_caught_over_the_whole_file() -> None:
    data = images.raw_tiff(*DNG, at=100_000)
    assert sniff(data[:4096]).format == "tiff"
    with pytest.raises(errors.UnsupportedFormat, match="DNG"):
        refuse_raw(data)


@pytest.mark.parametrize("length", range(0, 60, 3))
def test_a_head_cut_anywhere_raises_nothing_unforeseen(length: int) -> None:
    data = images.raw_tiff((0x100, 3, 160), (0x14A, 4, 500))[:length]
    try:
        assert sniff(data).format == "tiff"
    except errors.UnsupportedFormat:
        assert length < 4


@pytest.mark.parametrize("count", [0, 1, 999, 65_535])
def test_a_directory_of_absurd_length_is_left_to_the_decoder(count: int) -> None:
    assert sniff(b"II*\0\x08\0\0\0" + count.to_bytes(2, "little") + b"\xff" * 4000).format == "tiff"


def test_the_web_process_never_loads_libvips() -> None:
    modules = "media_jobs.pipeline.recipes, media_jobs.pipeline.formats.sniff, media_jobs.pipeline.values"
    check = f"import sys, {modules}, media_jobs.adapters.sandbox; sys.exit('pyvips' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
