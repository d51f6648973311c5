"""The first bytes decide, whatever a name says."""

import csv
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.demo.exif_writer import Facts
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, RAW_FORMATS, raw_format, sniff
from tests import images
from tests.formats import raw_tiff, raws

JPEG = images.jpeg(32, 32)


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    brands = major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + b"\0\0\0\x08free"


def bmp(
    *, header: int = 40, pixels_at: int = 54, width: int = 2, height: int = 2, planes: int = 1, bits: int = 24
) -> bytes:
    sizes = struct.pack("<HHHH" if header == 12 else "<iiHH", width, height, planes, bits)
    return b"BM" + struct.pack("<IIII", 70, 0, pixels_at, header) + sizes + bytes(1_000)


@pytest.mark.parametrize(
    ("data", "format", "extension"),
    [
        (JPEG, "jpeg", "jpg"),
        (images.png(32, 32), "png", "png"),
        (images.webp(32, 32), "webp", "webp"),
        (images.gif(32, 32), "gif", "gif"),
        (images.tiff(32, 32), "tiff", "tif"),
        (images.tiff(32, 32, big_tiff=True), "tiff", "tif"),
        (images.raw_tiff((0x100, 3, 10), order=">"), "tiff", "tif"),
        (images.avif(), "avif", "avif"),
        (images.bmp(), "bmp", "bmp"),
        (ftyp(b"heic", b"mif1", b"heic"), "heic", "heic"),
        (ftyp(b"heix", b"mif1", b"heix"), "heic", "heic"),
        (ftyp(b"msf1", b"msf1", b"hevc", b"iso8"), "heic", "heic"),
    ],
)
def test_accepted_formats_are_known_by_their_first_bytes(data: bytes, format: str, extension: str) -> None:
    kind = sniff(data[:HEAD_BYTES])
    assert (kind.format, kind.extension, kind.content_type) == (format, extension, f"image/{format}")


def marked(magic: bytes, mark: bytes) -> bytes:
    """A TIFF of one grey pixel, with `mark` behind its header."""
    tiff = raw_tiff.Structure(magic, first=32, before=mark)
    grey = {
        0x0100: (raw_tiff.SHORT, 1),
        0x0101: (raw_tiff.SHORT, 1),
        0x0106: (raw_tiff.SHORT, 1),
        0x0111: (raw_tiff.LONG, 30),
    }
    return tiff.finish({**grey, 0x0117: (raw_tiff.LONG, 1)})


def samsung(*, chained: bool = False, before: int = 0) -> bytes:
    """A picture like any other, and raw data in a directory below or behind it, after so many bytes."""
    tiff = raw_tiff.Structure()
    tiff.put(bytes(before))
    raw = tiff.directory({0x00FE: (raw_tiff.LONG, 0), **raw_tiff.grey_raw(tiff)})
    main = (
        raw_tiff.bitmap_picture(tiff, 16, 12)
        | raw_tiff.camera(b"SAMSUNG\0", b"NX300\0", 1)
        | {0x00FE: (raw_tiff.LONG, 0)}
    )
    return tiff.finish(main, raw) if chained else tiff.finish(main | {0x014A: (raw_tiff.LONG, raw)})


FUJI = raws.raf(images.jpeg(32, 32, facts=Facts(make="FUJIFILM")))


@pytest.mark.parametrize(
    ("data", "format", "content_type"),
    [
        (raws.dng(JPEG), "dng", "image/x-adobe-dng"),
        (raws.dng(), "dng", "image/x-adobe-dng"),
        (images.raw_tiff((0xC612, 1, 4), order=">"), "dng", "image/x-adobe-dng"),
        (raws.cr2(JPEG), "cr2", "image/x-canon-cr2"),
        (raws.cr3(JPEG, JPEG), "cr3", "image/x-canon-cr3"),
        (raws.nef(JPEG), "nef", "image/x-nikon-nef"),
        (images.raw_tiff((0x103, 3, 34713), make="Nikon"), "nef", "image/x-nikon-nef"),
        (raws.arw(JPEG), "arw", "image/x-sony-arw"),
        (FUJI, "raf", "image/x-fuji-raf"),
        (raws.orf(JPEG), "orf", "image/x-olympus-orf"),
        (b"IIRS" + raws.orf(JPEG)[4:], "orf", "image/x-olympus-orf"),
        (raws.rw2(JPEG), "rw2", "image/x-panasonic-rw2"),
    ],
)
def test_raw_files_of_eight_makers_are_known_by_their_first_bytes(data: bytes, format: str, content_type: str) -> None:
    kind = sniff(data[:HEAD_BYTES])
    assert (kind.format, kind.extension, kind.content_type) == (format, format, content_type)
    assert kind.format in RAW_FORMATS


@pytest.mark.parametrize(
    ("brands", "format"),
    [
        ((b"mif1", b"avif", b"mif1"), "avif"),
        ((b"mif1", b"heic", b"avif"), "heic"),
        ((b"mif1", b"miaf"), "heic"),  # its items say later what it is
        ((b"avis", b"avif", b"iso8"), "avif"),
        ((b"heic", b"mif1", b"mp42", b"isom"), "heic"),
    ],
)
def test_the_major_brand_decides_and_the_others_where_it_names_no_codec(brands: tuple[bytes, ...], format: str) -> None:
    assert sniff(ftyp(*brands)).format == format


@pytest.mark.parametrize("brands", [(b"isom", b"heic", b"mif1"), (b"mp42", b"avif"), (b"qt  ", b"heic")])
def test_a_video_that_lists_the_brand_of_a_picture_is_a_video(brands: tuple[bytes, ...]) -> None:
    with pytest.raises(errors.UnsupportedFormat, match="video"):
        sniff(ftyp(*brands))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (ftyp(b"qt  ", b"qt  "), "a QuickTime video"),
        (ftyp(b"isom", b"isom", b"iso2"), "a video (MP4)"),
        (b"RIFF\0\0\0\0AVI LIST", "a video (AVI)"),
        (b"\x1aE\xdf\xa3" + bytes(20), "a video (Matroska or WebM)"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51\0", "a JPEG 2000 picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\n\n%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0", "a PostScript document"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"\0\0\1\0\1\0", "an icon file (ICO)"),
        (b"PK\3\4", "a ZIP archive or Office document"),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"readme.txt".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (b"  <svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x --><svg/>", "an SVG drawing"),
        ("\ufeff<svg xmlns='http://www.w3.org/2000/svg'/>".encode("utf-16-le"), "an SVG drawing"),
        (b"<?xml version='1.0'?><note/>", "an XML document"),
        (b"<!DOCTYPE html><p>", "a web page (HTML)"),
        (b"\xef\xbb\xbfpush graphic-context\nimage over 0,0 0,0 'x'", "an ImageMagick drawing (MVG)"),
        (b"P6\n10 10\n255\n", "a PPM picture"),
        (b"P7\nWIDTH 1\n", "a PPM picture"),
        (b"FOVb\0\0\3\0", "a Sigma X3F raw file"),
        (b"\0MRM\0\0\0\0", "a Minolta MRW raw file"),
        (b"II\x1a\0\0\0HEAPCCDR", "a Canon CRW raw file"),
        (images.raw_tiff((0x100, 3, 160), (0x106, 3, 32803), make="PENTAX"), "a Pentax PEF raw file"),
        (images.raw_tiff((0xFE, 4, 1), (0x14A, 4, 500), make="SAMSUNG"), "a Samsung SRW raw file"),
        (images.raw_tiff((0x103, 3, 32769), make="SEIKO EPSON CORP."), "an Epson ERF raw file"),
        (images.raw_tiff((0x103, 3, 34713), make="Unheard Of"), "a camera's raw file"),
        (marked(b"II*\0", b"IIIITwaR"), "a Phase One IIQ raw file"),
        (marked(b"II*\0", b"IIIICwaR"), "a Phase One IIQ raw file"),
        (marked(b"MM\0*", b"MMMMRawT"), "a Phase One IIQ raw file"),
        (marked(b"II*\0", b"\xba\xb0\xac\xbb"), "a raw file of Canon's EOS-1D"),
        (marked(b"MM\0*", b"\xba\xb0\xac\xbb"), "a raw file of Canon's EOS-1D"),
        (samsung(), "a Samsung SRW raw file"),
        (samsung(chained=True), "a Samsung SRW raw file"),
    ],
)
def test_what_is_refused_is_named_in_plain_words(data: bytes, found: str) -> None:
    with pytest.raises(errors.UnsupportedFormat, match="accepted are") as refused:
        sniff(data)
    assert found in str(refused.value)
    assert refused.value.code == "unsupported_format"


@pytest.mark.parametrize("data", [b"", b"\0", b"hello", b"RIFF\0\0\0\0", b"RIFF\0\0\0\0XXXX", bytes(4096)])
def test_unknown_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(errors.UnsupportedFormat, match="not a picture of a known format"):
        sniff(data)


# --- two formats at once --------------------------------------------------------------------------


@pytest.mark.parametrize("picture", [JPEG, images.png(32, 32), images.gif(32, 32), images.bmp(), raws.dng(JPEG)])
def test_a_picture_that_a_pdf_reader_would_open_is_a_pdf(picture: bytes) -> None:
    with pytest.raises(errors.UnsupportedFormat, match="a PDF document"):
        sniff((picture[:64] + b"%PDF-1.4\n1 0 obj" + picture[64:])[:HEAD_BYTES])


@pytest.mark.parametrize(
    "payload", [b"PK\3\4 archive", b"<?php __HALT_COMPILER();", b"<script>x</script>", b"Rar!\x1a\7"]
)
@pytest.mark.parametrize("picture", [JPEG, images.png(32, 32), images.gif(32, 32), images.bmp(32, 32)])
def test_a_picture_stays_one_whatever_is_appended(picture: bytes, payload: bytes) -> None:
    assert sniff((picture + payload)[:HEAD_BYTES]) == sniff(picture)


@pytest.mark.parametrize(
    "text",
    [
        b"GIF89a<?php system($_GET['c']); ?>",
        b"GIF89a/*<svg/>*/=1;alert(document.domain)//" + b" " * 100,
        b"GIF87a <!DOCTYPE html><script>alert(1)</script>",
        b"BM=1;alert(document.domain);//" + b" " * 100,
        b"\xff\xd8\xff<?php system($_GET['c']); ?>",
        b"RIFF<?p>WEBPVP8 <script>",
        b"FUJIFILMCCD-RAW 0201 is how such files begin" + b"." * 100,
        b"IIROnically no picture, but long enough for a header",
    ],
)
def test_text_behind_the_mark_of_a_picture_is_no_picture(text: bytes) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        sniff(text)


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\x24\0\0\0WEBP<script>",
        b"FUJIFILMCCD-RAW \0\1\2\3" + bytes(200),
        b"IIRO\x08\0\0\0" + bytes(200),
        b"IIU\0\x18\0\0\0" + bytes(200),
        b"\x89PNG\n\x1a\n" + bytes(200),
    ],
)
def test_a_mark_without_the_structure_behind_it_is_no_picture(data: bytes) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        sniff(data)


@pytest.mark.parametrize("header", [12, 40, 52, 56, 64, 108, 124])
def test_bmp_headers_of_every_age_are_known(header: int) -> None:
    assert sniff(bmp(header=header, pixels_at=14 + header)).format == "bmp"


def test_a_bmp_stored_from_top_to_bottom_is_one() -> None:
    assert sniff(bmp(height=-2)).format == "bmp"


@pytest.mark.parametrize(
    "data",
    [
        bmp(header=44, pixels_at=58),
        bmp(pixels_at=20),
        bmp(pixels_at=1_000_000),
        bmp(width=0),
        bmp(width=-2),
        bmp(height=0),
        bmp(planes=2),
        bmp(bits=40),
        bmp()[:29],
        b"BMW and other makers of motor cars" * 3,
    ],
)
def test_two_letters_alone_make_no_bmp(data: bytes) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        sniff(data)


@pytest.mark.parametrize("size", [0, 1, 8, 15, 2**31])
def test_a_box_of_brands_of_absurd_size_is_refused(size: int) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        sniff(struct.pack(">I", size) + ftyp(b"heic", b"mif1", b"heic")[4:])


# --- beyond the head ------------------------------------------------------------------------------


def test_a_raw_file_whose_directory_lies_beyond_the_head_is_known_over_the_whole_file() -> None:
    data = images.raw_tiff((0xC612, 1, 4), at=100_000)
    assert sniff(data[:HEAD_BYTES]).format == "tiff"
    assert raw_format(data) == "dng"


def test_a_raw_file_whose_maker_lies_beyond_the_head_is_known_over_the_whole_file() -> None:
    data = images.raw_tiff((0x103, 3, 34713), make="NIKON CORPORATION")
    assert sniff(data[:-10]).format == "tiff"
    assert raw_format(data) == "nef"


@pytest.mark.parametrize("data", [images.tiff(32, 32), b"II*\0" + bytes(100), JPEG, b""])
def test_what_is_no_raw_file_has_no_raw_format(data: bytes) -> None:
    assert raw_format(data) is None


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (images.raw_tiff((0x106, 3, 32803), make="PENTAX", at=100_000), "Pentax"),
        (samsung(before=100_000), "Samsung"),
        (marked(b"II*\0", b"IIIITwaR"), "Phase One"),
        (marked(b"MM\0*", b"\xba\xb0\xac\xbb"), "EOS-1D"),
    ],
)
def test_a_raw_file_of_another_maker_is_refused_over_the_whole_file(data: bytes, name: str) -> None:
    with pytest.raises(errors.UnsupportedFormat, match=name):
        raw_format(data)


@pytest.mark.parametrize("pixels", [b"IIII" * 2, b"MMMM" * 2])
def test_pixels_that_look_a_little_like_a_mark_are_none(pixels: bytes) -> None:
    assert sniff(marked(b"II*\0", pixels)).format == "tiff"
    assert raw_format(marked(b"II*\0", pixels)) is None


@pytest.mark.parametrize("data", [raws.nef(JPEG), raws.cr3(JPEG, JPEG), FUJI, bmp(), images.avif(), raws.orf(JPEG)])
def test_a_head_cut_anywhere_raises_nothing_unforeseen(data: bytes) -> None:
    for length in range(200):
        try:
            sniff(data[:length])
        except errors.UnsupportedFormat:
            continue


@pytest.mark.parametrize("count", [0, 1, 999, 65_535])
def test_a_directory_of_absurd_length_is_left_to_the_decoder(count: int) -> None:
    assert sniff(b"II*\0\x08\0\0\0" + count.to_bytes(2, "little") + b"\xff" * 4000).format == "tiff"


@pytest.mark.corpus
@pytest.mark.skipif(not os.environ.get("CORPUS"), reason="CORPUS is not set: a directory with a manifest.csv")
def test_the_corpus_is_what_its_manifest_says() -> None:
    corpus = Path(os.environ["CORPUS"])
    with (corpus / "manifest.csv").open(newline="") as manifest:
        for row in csv.DictReader(manifest):
            with (corpus / row["file"]).open("rb") as file:
                head = file.read(HEAD_BYTES)
            try:
                found = sniff(head).format
            except errors.UnsupportedFormat:
                found = "refused"
            if row["expected"] == "ok":
                assert found == row["format"], row["file"]
            elif row["format"] in ("svg", "pdf", "eps", "jp2", "jxl", "psd", "ico"):
                assert found == "refused", row["file"]


def test_the_web_process_never_loads_libvips() -> None:
    modules = "media_jobs.pipeline.recipes, media_jobs.pipeline.formats.sniff, media_jobs.pipeline.values"
    check = f"import sys, {modules}, media_jobs.adapters.decoder.sandbox; sys.exit('pyvips' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
