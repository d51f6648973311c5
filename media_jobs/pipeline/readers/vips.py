"""Which of libvips' loaders may run at all, and how a file is opened with the right one.

Importing this loads libvips.
"""

import logging
from typing import Any

import pyvips

#: Format → operation to call, class to unblock. Everything that is not listed here is refused by libvips itself.
_ALLOWED = {
    "jpeg": ("jpegload", "VipsForeignLoadJpegFile"),
    "png": ("pngload", "VipsForeignLoadPngFile"),
    "webp": ("webpload", "VipsForeignLoadWebpFile"),
    "gif": ("gifload", "VipsForeignLoadNsgifFile"),
    "tiff": ("tiffload", "VipsForeignLoadTiffFile"),
    "avif": ("heifload", "VipsForeignLoadHeifFile"),
}

_MOST_WARNINGS = 100

ENGINE = f"gallimg-5 libvips-{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"


def lock() -> None:
    """Block every loader for the life of this process, then allow the listed ones. No caches: files are seen once."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for _, name in _ALLOWED.values():
        pyvips.operation_block_set(name, False)
    pyvips.cache_set_max(0)


def number(header: pyvips.Image, field: str, default: int) -> int:
    return int(header.get(field)) if header.get_typeof(field) else default


def has_profile(header: pyvips.Image) -> bool:
    """Whether there is an ICC profile in it."""
    return bool(header.get_typeof("icc-profile-data"))


def profile(header: pyvips.Image) -> bytes:
    """The ICC profile in it; empty if there is none."""
    return bytes(header.get("icc-profile-data")) if has_profile(header) else b""


def exif(header: pyvips.Image) -> bytes:
    """The first EXIF block in it, with its mark; empty if there is none."""
    return bytes(header.get("exif-data")) if header.get_typeof("exif-data") else b""


def is_grey(header: pyvips.Image) -> bool:
    return header.interpretation in ("b-w", "grey16")


def noted() -> str:
    """What libvips wrote into its error buffer since the last call: errors, and warnings of JPEG's decoder."""
    return str(pyvips.Error("").detail)


class _Warnings(logging.Handler):
    """Keeps the first of the warnings that libvips, and the decoders within it, log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.said) < _MOST_WARNINGS:
            self.said.append(record.getMessage())


_warnings = _Warnings()
logging.getLogger("pyvips").addHandler(_warnings)


def warned() -> list[str]:
    """What libvips logged as warnings since the last call, the first ones where there are very many."""
    said, _warnings.said = _warnings.said, []
    return said


def load(format: str, path: str, **options: Any) -> pyvips.Image:
    """Open the first frame or page for reading once from top to bottom. Raises pyvips.Error."""
    loader = getattr(pyvips.Image, _ALLOWED[format][0])
    return loader(path, access="sequential", **options)
