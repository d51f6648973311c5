"""Make the shipped samples from drawn photographs, or show that they were made so.

    python -m media_jobs.demo.draw FOLDER             # draws them, 3 MB and more
    python -m media_jobs.demo.shrink FOLDER           # writes the samples that are shipped
    python -m media_jobs.demo.shrink FOLDER --check   # compares; exit code 1 where they differ

Drawn photographs are too large for a checkout. Their metadata is kept as it is.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyvips

from media_jobs.demo import shipped

#: Mean difference of a sample value of 255 that another version of libvips or its libraries may make.
_TOLERANCE = 2.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large a sample is shipped; the width is that of the stored picture, whatever its orientation."""

    width_px: int
    quality: int


SIZES = {"bedeguar-gall": Size(2400, 64), "oak-apple-galls": Size(1600, 72)}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m media_jobs.demo.shrink", description=__doc__)
    parser.add_argument("drawn", type=Path, help="folder that `media_jobs.demo.draw` has written to")
    parser.add_argument("--check", action="store_true", help="compare with the shipped samples, change nothing")
    options = parser.parse_args(arguments)
    different = []
    for name, size in SIZES.items():
        sample = shrink(options.drawn / f"{name}.jpg", size)
        target = shipped.FOLDER / f"{name}.jpg"
        if not options.check:
            target.write_bytes(sample)
        elif not is_alike(sample, target.read_bytes()):
            different.append(name)
    if different:
        sys.stderr.write(f"not made from these drawings: {', '.join(different)}\n")
    return 1 if different else 0


def shrink(drawn: Path, size: Size) -> bytes:
    """Return a smaller JPEG of the picture in `drawn`, with the same metadata."""
    whole = drawn.read_bytes()
    picture = pyvips.Image.new_from_buffer(whole, "")
    smaller = picture.resize(size.width_px / picture.width)
    jpeg: bytes = smaller.jpegsave_buffer(Q=size.quality, optimize_coding=True, keep="none")
    return jpeg[:2] + b"".join(metadata(whole)) + jpeg[2:]


def metadata(jpeg: bytes) -> Iterator[bytes]:
    """Yield the APP1 segments (EXIF and XMP) that a JPEG begins with."""
    at = 2
    while jpeg[at : at + 2] == b"\xff\xe1":
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        yield jpeg[at:end]
        at = end


def is_alike(one: bytes, other: bytes) -> bool:
    """Whether two JPEGs have equal metadata and, within a tolerance, equal pixels."""
    if list(metadata(one)) != list(metadata(other)):
        return False
    first, second = (pyvips.Image.new_from_buffer(jpeg, "") for jpeg in (one, other))
    if (first.width, first.height, first.bands) != (second.width, second.height, second.bands):
        return False
    return bool((first - second).abs().avg() <= _TOLERANCE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
