"""One encoder call per format: the pixels, the rights, and nothing else.

docs/decisions/011, 070 and 077 have the measurements behind the figures.
"""

import pyvips

from media_jobs.pipeline.formats import png
from media_jobs.pipeline.privacy import embed
from media_jobs.pipeline.recipes import Chroma, Format, Rendition
from media_jobs.pipeline.values import Rights

#: On the scale of 0 to 9. One more takes twice as long for 2 to 3 % fewer bytes, in each of them.
_WEBP_EFFORT, _AVIF_EFFORT, _PNG_EFFORT = 3, 1, 6
#: From which effort on a JPEG has Huffman tables of its own, is progressive, and has mozjpeg's trellis and scans.
_TABLES, _PROGRESSIVE, _TRELLIS = 5, 7, 9
#: Up to so many pixels a JPEG has tables of its own unless its rendition says otherwise: its coefficients are all held.
_TABLES_UP_TO_PIXELS = 6_300_000
#: The quantisation table of Klein, Silverstein and Carney: a tenth fewer bytes at equal SSIMULACRA2, for nothing. It
#: reaches that of the standard one with steps that are coarser by so much. From _FULL_CHROMA on that of N. Robidoux is
#: better, which needs no other quality.
_TABLE, _COARSER, _FINE_TABLE = 5, 1.12, 3
#: What encoders hold for each pixel, measured: of an AVIF, and of a JPEG with 4:2:0, whose coefficients are all kept
#: where it has tables of its own, and twice where there is a trellis. Full chroma takes twice as much.
_AVIF_BYTES, _TABLES_BYTES, _TRELLIS_BYTES = 16, 6, 8
_WHITE = 255
#: From this quality on a JPEG's colour is stored in full, unless told otherwise.
_FULL_CHROMA = 90
_SUBSAMPLING = {Chroma.AUTO: "auto", Chroma.HALF: "on", Chroma.FULL: "off"}


def encode(image: pyvips.Image, rendition: Rendition, format: Format, rights: Rights) -> bytes:
    """Encode an 8-bit sRGB or grey image in memory and embed the rights. `format` is the resolved one."""
    if format is Format.AVIF:
        return _avif(image, rendition, rights)
    encoders = {Format.JPEG: _jpeg, Format.WEBP: _webp, Format.PNG: _png}
    return embed.with_rights(encoders[format](image, rendition), format, rights)


def working_bytes(rendition: Rendition, format: Format, pixels: int) -> int:
    """What the encoder holds beyond the picture itself, where that is much. `format` is the resolved one."""
    if format is Format.AVIF:
        return _AVIF_BYTES * pixels
    effort = _jpeg_effort(rendition, pixels)
    if format is not Format.JPEG or (effort < _TABLES and not rendition.progressive):
        return 0
    return (_TRELLIS_BYTES if effort >= _TRELLIS else _TABLES_BYTES) * pixels * (2 if _finely(rendition) else 1)


def _jpeg(image: pyvips.Image, rendition: Rendition) -> bytes:
    opaque = image.flatten(background=_WHITE) if image.hasalpha() else image
    effort = _jpeg_effort(rendition, image.width * image.height)
    progressive = effort >= _PROGRESSIVE if rendition.progressive is None else rendition.progressive
    table, quality = _quantised(rendition.quality)
    encoded: bytes = opaque.jpegsave_buffer(
        Q=quality,
        interlace=progressive,
        optimize_coding=effort >= _TABLES,
        trellis_quant=effort >= _TRELLIS,
        overshoot_deringing=effort >= _TRELLIS,
        optimize_scans=effort >= _TRELLIS and progressive,
        quant_table=table,
        subsample_mode="off" if _finely(rendition) else "on",
        keep="none",
    )
    return encoded


def _finely(rendition: Rendition) -> bool:
    """Whether a JPEG has its colour in full."""
    return rendition.chroma is Chroma.FULL or (rendition.chroma is Chroma.AUTO and rendition.quality >= _FULL_CHROMA)


def _quantised(quality: int) -> tuple[int, int]:
    """The quantisation table, and the quality by which it looks as the standard one does at `quality`.

    libjpeg multiplies a table by 200 − 2 × quality in hundredths, and below 50 by 5000 / quality.
    """
    if quality >= _FULL_CHROMA:
        return _FINE_TABLE, quality
    coarser = 100 - _COARSER * (100 - quality) if quality >= 50 else quality / _COARSER
    return _TABLE, max(1, round(coarser))


def _jpeg_effort(rendition: Rendition, pixels: int) -> int:
    return _effort(rendition, _TABLES if pixels <= _TABLES_UP_TO_PIXELS else 0)


def _webp(image: pyvips.Image, rendition: Rendition) -> bytes:
    encoded: bytes = image.webpsave_buffer(
        Q=rendition.quality,
        effort=_effort(rendition, _WEBP_EFFORT) * 6 // 9,  # libwebp counts to 6
        smart_subsample=rendition.chroma is Chroma.FULL,
        keep="none",
    )
    return encoded


def _png(image: pyvips.Image, rendition: Rendition) -> bytes:
    encoded: bytes = image.pngsave_buffer(
        compression=_effort(rendition, _PNG_EFFORT),
        filter="all",
        interlace=bool(rendition.progressive),
        keep="none",
    )
    return _without_print_size(encoded)


def _without_print_size(encoded: bytes) -> bytes:
    """The PNG without its size in print, which libvips takes from the source."""
    size = next(chunk for chunk in png.chunks(encoded) if chunk.kind == b"pHYs")
    return encoded[: size.start - 8] + encoded[size.end + 4 :]


def _avif(image: pyvips.Image, rendition: Rendition, rights: Rights) -> bytes:
    """Encode as AVIF, with rights as XMP only: to EXIF libvips would add tags of its own."""
    image = image.copy()
    image.remove("orientation")  # libheif would write it down, and viewers turn the upright picture again
    packet = embed.xmp_packet(rights)
    if packet:
        image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    encoded: bytes = image.heifsave_buffer(
        compression="av1",
        Q=rendition.quality,
        bitdepth=8,
        effort=_effort(rendition, _AVIF_EFFORT),
        subsample_mode=_SUBSAMPLING[rendition.chroma],
        keep="xmp" if packet else "none",
    )
    return encoded


def _effort(rendition: Rendition, default: int) -> int:
    return default if rendition.effort is None else rendition.effort
