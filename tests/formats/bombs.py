"""Small files that claim to be huge, or are cut up without end. Those of one picture are in `images`."""

import struct

from tests import images
from tests.formats import heif

_LONG, _SUB_DIRECTORIES = 4, 0x014A


def avif(side_px: int = 17_000) -> bytes:
    """Its boxes claim `side_px`; its coded picture has a handful."""
    return heif.grid(heif.AV1, 64, 64).replace(heif.size(64, 64), heif.size(side_px, side_px))


def avif_within(side_px: int = 17_000) -> bytes:
    """Its boxes claim 64 pixels; the sequence header of its coded picture says `side_px`."""
    codec = heif.AV1
    tiles = tuple(_av1_of(side_px, tile) for tile in codec.tiles)
    return heif.grid(heif.Codec(codec.item, codec.brand, codec.configuration, tiles), 64, 64)


def _av1_of(side_px: int, tile: bytes) -> bytes:
    """The same still picture with another size in its sequence header, whose sizes have six bits each so far."""
    delimiter, length = tile[:3], tile[3]
    bits = "".join(f"{byte:08b}" for byte in tile[4 : 4 + length])
    wide = bits[:10] + f"{14:04b}{14:04b}{side_px - 1:015b}{side_px - 1:015b}" + bits[10 + 8 + 12 :].rstrip("0")
    wide = wide.ljust(-(-len(wide) // 8) * 8, "0")
    header = bytes(int(wide[at : at + 8], 2) for at in range(0, len(wide), 8))
    return delimiter + bytes([len(header)]) + header + tile[4 + length :]


def tiff_of_pages(pages: int) -> bytes:
    """One directory after the other, each of one tag."""
    size = 2 + 12 + 4
    offsets = [8 + index * size for index in range(pages)]
    return _tiff(*(_directory((0x0100, 64), following=offset) for offset in [*offsets[1:], 0]))


def nested_tiff(depth: int) -> bytes:
    """A picture's directory, and below each directory another."""
    picture = images.tiff(64, 48)
    (first,) = struct.unpack_from("<I", picture, 4)
    at = len(picture) + len(picture) % 2
    entries = picture[first + 2 : first + 2 + 12 * picture[first]]
    head = picture[:4] + struct.pack("<I", at) + picture[8:].ljust(at - 8, b"\0")
    below = at + 2 + len(entries) + 12 + 4
    top = struct.pack("<H", picture[first] + 1)
    top += entries + struct.pack("<HHII", _SUB_DIRECTORIES, _LONG, 1, below) + bytes(4)
    size = 2 + 12 + 4
    chain = (_directory((_SUB_DIRECTORIES, below + size * (index + 1))) for index in range(depth))
    return head + top + b"".join(chain) + _directory((0x0100, 64))


def tiff_of_entries(entries: int) -> bytes:
    """A directory that claims so many."""
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", entries)
        + struct.pack("<HHII", 0x0100, _LONG, 1, 64) * entries
        + bytes(4)
    )


def _tiff(*directories: bytes) -> bytes:
    return b"II*\0\x08\0\0\0" + b"".join(directories)


def _directory(*tags: tuple[int, int], following: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, _LONG, 1, value) for tag, value in tags)
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
