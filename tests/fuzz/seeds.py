"""Tiny healthy pictures of every kind that is accepted: what the damaged ones are made of."""

import io
import struct
from functools import cache
from random import Random

from PIL import Image, ImageCms

from tests import images
from tests.formats import colours, heif, raw_notes, raws
from tests.odd.jpegs import restarting, with_strays
from tests.odd.table import odd_files

_SIZE_PX = (36, 24)
_GRAINY_PX = (64, 48)
_GRID_PX = (100, 80)
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
_XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:exif="http://ns.adobe.com/exif/1.0/">
<rdf:Description rdf:about="" photoshop:Credit="Gallmann" xmpRights:WebStatement="https://example.org/by/4.0"
 exif:GPSLatitude="47,22.6N" photoshop:DateCreated="2024-05-01T12:30:00+02:00">
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">CC BY</rdf:li></rdf:Alt></dc:rights>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@cache
def seeds() -> dict[str, bytes]:
    """All seeds by name; the part before the first hyphen is the format."""
    return {
        **_jpegs(), **_pngs(), **_webps(), **_gifs(), **_tiffs(), **_bmps(), **_heifs(), **_raws(), **_grainy(),
        **_odd(), **_telling(),
    }  # fmt: skip


def _grainy() -> dict[str, bytes]:
    """More pixels than headers, so that damage reaches the innermost loops of decoders."""
    width, height = _GRAINY_PX
    picture = Image.frombytes("RGB", _GRAINY_PX, Random(1).randbytes(3 * width * height))
    return {
        "jpeg-grainy": images.encoded(picture, "JPEG", quality=85),
        "jpeg-grainy-progressive": images.encoded(picture, "JPEG", quality=60, progressive=True),
        "png-grainy": images.encoded(picture, "PNG"),
        "webp-grainy": images.encoded(picture, "WEBP", quality=80),
        "webp-grainy-lossless": images.encoded(picture, "WEBP", lossless=True),
        "gif-grainy": images.encoded(picture.quantize(64), "GIF"),
        "tiff-grainy": images.encoded(picture, "TIFF", compression="tiff_lzw"),
        "avif-grainy": images.encoded(picture, "AVIF", speed=10, quality=80),
        "heic-grainy": _heic(picture),
    }


def _odd() -> dict[str, bytes]:
    """Those that are read in a way of their own: crops, pages, samples, restart markers with bytes too many."""
    files = odd_files()
    names = ("heic-cropped-then-turned", "avif-premultiplied", "tiff-thumbnail-first", "tiff-two-selections-and-alpha")
    more = ("tiff-cielab-8", "tiff-ycbcr", "tiff-ycbcr-subsampled", "tiff-jpeg", "gif-first-frame-smaller", "bmp-alpha")
    toy = with_strays(restarting(*_GRAINY_PX, restart_marker_blocks=2), 2)
    return {name: files[name].data for name in (*names, *more)} | {"jpeg-toy-camera": toy}


def _telling() -> dict[str, bytes]:
    """Those that tell colours, turn or rights in an odd way: PNG's chunks, EXIF in its texts, XMP that is no XML."""
    exif = b"Exif\0\0" + colours.interoperability("R03")
    text = b"Raw profile type exif\0\nexif\n %d\n" % len(exif) + exif.hex().encode()
    broken = _XMP_MARK + _XMP.replace(b"Gallmann", b"Gall & Mann", 1)
    plain = images.jpeg(*_SIZE_PX)
    return {
        "png-cicp": colours.png(colours.SAMPLES, colours.cicp(12, 13), height_px=16),
        "png-gama-chrm": colours.png(
            colours.SAMPLES, colours.gama(0.45455), colours.chrm(colours.ADOBE_RGB), height_px=16
        ),
        "png-exif-in-text": colours.png(colours.SAMPLES, (b"tEXt", text), height_px=16),
        "jpeg-interoperability": colours.with_exif(plain, colours.interoperability("R03", order=">")),
        "jpeg-broken-xmp": plain[:2] + _segment(0xE1, broken) + plain[2:],
    }


def _jpegs() -> dict[str, bytes]:
    grey = images.quadrants(*_SIZE_PX).convert("L")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    telling = images.jpeg(*_SIZE_PX, orientation=6, facts=images.CAMERA, thumbnail=True)
    return {
        "jpeg-facts": telling,
        "jpeg-rights": telling[:2]
        + _photoshop()
        + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _XMP)
        + telling[2:],
        "jpeg-progressive": images.jpeg(*_SIZE_PX, progressive=True, icc_profile=profile),
        "jpeg-cmyk": images.cmyk_jpeg((10, 60, 200, 20), side_px=24),
        "jpeg-grey": images.encoded(grey, "JPEG", restart_marker_blocks=2),
    }


def _photoshop() -> bytes:
    """A segment with a creator, a credit, a copyright, a date and a time, as news agencies write them (IPTC)."""
    fields = ((80, b"Ada"), (110, b"Gallmann"), (116, b"CC BY"), (55, b"20240501"), (60, b"123000+0200"))
    records = b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value for number, value in fields)
    padded = records + b"\0" * (len(records) % 2)
    return _segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + padded)


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _pngs() -> dict[str, bytes]:
    picture = images.quadrants(*_SIZE_PX)
    return {
        "png-facts": images.png(*_SIZE_PX, exif=images.exif(images.CAMERA)),
        "png-palette": images.encoded(picture.quantize(7), "PNG", transparency=3),
        "png-deep": images.deep_png(40_000, side_px=24),
        "png-alpha": images.see_through_png((200, 30, 90, 128), side_px=24),
        "png-animated": images.encoded(picture, "PNG", save_all=True, append_images=[picture.rotate(180)]),
    }


def _webps() -> dict[str, bytes]:
    picture = images.quadrants(*_SIZE_PX)
    return {
        "webp-facts": images.webp(*_SIZE_PX, exif=images.exif(images.CAMERA), xmp=_XMP),
        "webp-lossless": images.encoded(picture.convert("RGBA"), "WEBP", lossless=True),
        "webp-animated": images.encoded(picture, "WEBP", save_all=True, append_images=[picture.rotate(180)]),
    }


def _gifs() -> dict[str, bytes]:
    noted = images.encoded(images.quadrants(*_SIZE_PX).quantize(9), "GIF", comment=b"Gallmann", transparency=2)
    return {"gif-animated": images.gif(*_SIZE_PX, frames=3), "gif-comment": noted}


def _tiffs() -> dict[str, bytes]:
    picture = images.quadrants(*_SIZE_PX)
    seeds = {
        f"tiff-{compression}": images.tiff(*_SIZE_PX, compression=compression)
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    }
    return {
        **seeds,
        "tiff-big": images.encoded(picture, "TIFF", big_tiff=True),
        "tiff-fax": images.encoded(picture.convert("1"), "TIFF", compression="group4"),
        "tiff-cmyk": images.encoded(picture.convert("CMYK"), "TIFF"),
        "tiff-pages": images.encoded(picture, "TIFF", save_all=True, append_images=[picture] * 2),
    }


def _bmps() -> dict[str, bytes]:
    picture = images.quadrants(*_SIZE_PX)
    return {
        f"bmp-{mode.lower()}": images.encoded(picture.quantize(16) if mode == "P" else picture.convert(mode), "BMP")
        for mode in ("RGB", "RGBA", "P", "1")
    }


def _heifs() -> dict[str, bytes]:
    """AVIF and HEIC, which share a container."""
    picture = images.quadrants(*_SIZE_PX)
    exif = images.exif(images.CAMERA)
    return {
        "avif-facts": images.encoded(picture, "AVIF", speed=10, exif=exif, xmp=_XMP),
        "avif-alpha": images.encoded(picture.convert("RGBA"), "AVIF", speed=10),
        "avif-grid": heif.grid(heif.AV1, *_GRID_PX),
        "heic-grid": heif.grid(heif.HEVC, *_GRID_PX),
        "heic-facts": _heic(picture.convert("RGBA"), exif=exif),
    }


def _heic(picture: Image.Image, **options: bytes) -> bytes:
    import pillow_heif  # large, and nothing but these seeds needs it

    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=80, **options)
    return buffer.getvalue()


def _raws() -> dict[str, bytes]:
    preview, small = images.jpeg(*_SIZE_PX), images.jpeg(16, 12)
    return {
        "dng-plain": raws.dng(preview, small, orientation=6),
        "dng-bitmap": raws.dng(preview, bitmap_px=(16, 12)),
        "cr2-plain": raws.cr2(preview),
        "cr3-plain": raws.cr3(preview, small),
        "nef-plain": raws.nef(preview),
        "arw-plain": raws.arw(preview),
        "raf-plain": raws.raf(images.jpeg(*_SIZE_PX, facts=images.CAMERA)),
        "orf-plain": raws.orf(preview),
        "rw2-plain": raws.rw2(preview),
        "dng-big": raw_notes.big_dng(preview, orientation=8),
        "dng-big-endian": raws.dng(small, preview, orientation=6, magic=b"MM\0*"),
        "dng-converted": raw_notes.converted_dng(small, in_note=preview),
        "dng-jpeg-xl": raws.jpeg_xl_dng(preview, b"\xff\x0a" + bytes(64)),
        "cr3-thumbnail": raws.cr3(b"\0\0\0\1CISZ" + bytes(64), preview, thumbnail=small),
        "nef-note": raw_notes.with_note("nikon", preview),
        "arw-note": raw_notes.with_note("sony", preview),
        "arw-unmarked-note": raw_notes.with_note("minolta", preview),
        "orf-big-endian": raw_notes.with_note("olympus", preview, magic=b"MM\0*"),
        "orf-old-note": raw_notes.with_note("olympus, old", preview),
        "rw2-two": raws.rw2(small, second=preview),
    }
