"""One encoder call per format: the pixels, the rights, and nothing else.

docs/decisions/011 has the measurements behind the figures.
"""

import pyvips

from media_jobs.pipeline.formats import png
from media_jobs.pipeline.privacy import embed
from media_jobs.pipeline.recipes import Chroma, Format, Rendition
from media_jobs.pipeline.values import Rights

#: Up to here a JPEG's Huffman tables are made for it: a tenth smaller for 3 ms. Larger ones gain 6 % for 18 ms.
_OPTIMISED_UP_TO_PIXELS = 1_100_000
#: On the scale of 0 to 9. One more takes twice as long for 2 to 3 % fewer bytes, in each of them.
_WEBP_EFFORT, _AVIF_EFFORT, _PNG_EFFORT = 3, 1, 6
_WHITE = 255
_SUBSAMPLING = {Chroma.AUTO: "auto", Chroma.HALF: "on", Chroma.FULL: "off"}


def encode(image: pyvips.Image, rendition: Rendition, format: Format, rights: Rights) -> bytes:
    """Encode an 8-bit sRGB or grey image in memory and embed the rights. `format` is the resolved one."""
    if format is Format.AVIF:
        return _avif(image, rendition, rights)
    encoders = {Format.JPEG: _jpeg, Format.WEBP: _webp, Format.PNG: _png}
    return embed.with_rights(encoders[format](image, rendition), format, rights)


def _jpeg(image: pyvips.Image, rendition: Rendition) -> bytes:
    opaque = image.flatten(background=_WHITE) if image.hasalpha() else image
    encoded: bytes = opaque.jpegsave_buffer(
        Q=rendition.quality,
        interlace=bool(rendition.progressive),
        optimize_coding=image.width * image.height <= _OPTIMISED_UP_TO_PIXELS,
        subsample_mode=_SUBSAMPLING[rendition.chroma],
        keep="none",
    )
    return encoded


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
