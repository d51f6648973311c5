"""HEIC and AVIF files, put together box by box from coded tiles of one colour each.

No encoder is needed, which would take much of the test process's memory.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Numbers of items in the files.
_PRIMARY, _EXIF, _FIRST_TILE = 1, 2, 3
#: Properties that a reader has to know, and how they are marked.
_ESSENTIALS, _ESSENTIAL = frozenset({b"hvcC", b"av1C", b"clap", b"irot", b"imir"}), 0x80


@dataclass(frozen=True, slots=True)
class Codec:
    """How tiles are coded: the kind of their items, what sets up their decoder, and tiles in the colours of CORNERS."""

    item: bytes
    brand: bytes
    configuration: bytes
    tiles: tuple[bytes, ...]
    tile_px: int = 64


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def full_box(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def size(width_px: int, height_px: int) -> bytes:
    return full_box(b"ispe", struct.pack(">II", width_px, height_px))


def rotation(degrees: int) -> bytes:
    """Counter-clockwise."""
    return box(b"irot", bytes([degrees // 90]))


def mirror(axis: int) -> bytes:
    """0: top and bottom change places; 1: left and right."""
    return box(b"imir", bytes([axis]))


def crop(width_px: int, height_px: int, across: tuple[int, int] = (0, 1), down: tuple[int, int] = (0, 1)) -> bytes:
    """A crop whose centre lies so much, a fraction, to the right of the picture's centre and below it."""
    return box(b"clap", struct.pack(">4I4i", width_px, 1, height_px, 1, *across, *down))


def colours(primaries: int, transfer: int = 13, matrix: int = 6) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, 0x80))


def profile(icc: bytes) -> bytes:
    return box(b"colr", b"prof", icc)


HEVC = Codec(
    item=b"hvc1",
    brand=b"heic",
    configuration=box(
        b"hvcC",
        bytes.fromhex(
            "0103700000009000000000001ef000fcfdf8f800000f03600001001840010c01ffff0370000003009000000300000300"
            "1eba0240610001002b42010103700000030090000003000003001ea020810596ea4929ae6e021a0c0800000300c80000"
            "0300084062000100074401c172b02240"
        ),
    ),
    tiles=(
        bytes.fromhex("0000001b2801af06385afcfd37f89607ffffb28c7a1feaadfaabc4263f5f80"),
        bytes.fromhex("0000001a2801af06385afcfd37f1581fffff0c5dffff66dfaabc4263f5f8"),
        bytes.fromhex("0000001a2801af06385afcfd37fb05eff91fe305dfffe9938aaf1098fd7e"),
        bytes.fromhex("0000001b2801af06385afcfb57fc3e1fffffe4fd77a1fa8b12abc4263f5f80"),
    ),
)
LARGE_HEVC = Codec(
    item=b"hvc1",
    brand=b"heic",
    configuration=box(
        b"hvcC",
        bytes.fromhex(
            "0103700000009000000000005af000fcfdf8f800000f03600001001840010c01ffff0370000003009000000300000300"
            "5aba0240610001002b42010103700000030090000003000003005aa004020080596ea4929ae6e021a0c08000000c8000"
            "0003008462000100074401c172b06240"
        ),
    ),
    tiles=(
        bytes.fromhex(
            "000000e32801af063106c1e6965545205afcfd37f89607ffffb28c7a1feaadfaabc4263eef2756af36e26e059c380000"
            "0300000300000300000300000300002460196e059ceb0000030000030000030000030000030000030000030000030332"
            "00000300ce00000300000300000300000300000300000300003260000013800000030000030000030000030000030000"
            "107000005c800000030000030000030000030000030011b00000de00000300000300000300000300000300020a000172"
            "000003000003000003000003000003000ef80001d6000003000003000003000003000003002aa0"
        ),
    ),
    tile_px=512,
)
AV1 = Codec(
    item=b"av01",
    brand=b"avif",
    configuration=box(b"av1C", bytes.fromhex("81000c00")),
    tiles=(
        bytes.fromhex("12000a0918157ffda2021a0d08321d1207f7f6a90082083e400000cfcc0bd86c2fdf2542f6924979458eb163"),
        bytes.fromhex("12000a0918157ffda2021a0d08321d1207f7f6a90082083e400000cfcc0bd86cb52e150c88eec1a7887f4a60"),
        bytes.fromhex("12000a0918157ffda2021a0d08321d1207f7f6a90082083e400000cfcc0bd86be14bf735496934c96f682c45"),
        bytes.fromhex("12000a0918157ffda2021a0d08321e1207f7f6a90082083e400000cfcc0bd7e1d6b38801ec8a58c60f8d6146c0"),
    ),
)
LARGE_AV1 = Codec(
    item=b"av01",
    brand=b"avif",
    configuration=box(b"av1C", bytes.fromhex("81010c00")),
    tiles=(
        bytes.fromhex(
            "12000a0a18623ffff68808683420323f1081fdfdaa4020820f900000cfcc0bd86c2fdf2542f6924979458eb162cd8f1b"
            "6918758b81d5552b61fd53027daa3180a33a66c8613ae55fefe6bcb7a2d2a0"
        ),
    ),
    tile_px=512,
)


def grid(
    codec: Codec,
    width_px: int = 128,
    height_px: int = 96,
    *properties: bytes,
    before: tuple[bytes, ...] = (),
    exif: bytes = b"",
    helpers: tuple[bytes, ...] = (),
    premultiplied: bool = False,
) -> bytes:
    """A picture of as many tiles as it takes; 128 wide and high at most, its corners have the colours of CORNERS.

    properties: of the whole picture, in this order, after its size; `before`: listed before that. exif: a TIFF
    structure. premultiplied: by what the first of the helpers has as alpha.
    helpers: URNs of further pictures beside it, such as a gain map; each is one tile.
    """
    columns, rows = -(-width_px // codec.tile_px), -(-height_px // codec.tile_px)
    tiles = range(_FIRST_TILE, _FIRST_TILE + columns * rows)
    helper_items = range(tiles.stop, tiles.stop + len(helpers))
    shape = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width_px, height_px)
    tile_properties = (codec.configuration, size(codec.tile_px, codec.tile_px))
    own = tuple(full_box(b"auxC", urn + b"\0") for urn in helpers)
    whole = (*before, size(width_px, height_px), *properties)
    catalogue = (*tile_properties, *whole, *own)
    uses: dict[int, Sequence[int]] = {_PRIMARY: range(3, 3 + len(whole)), **dict.fromkeys(tiles, (1, 2))}
    uses |= {item: (1, 2, 3 + len(whole) + index) for index, item in enumerate(helper_items)}
    infos = [_info(_PRIMARY, b"grid"), *(_info(tile, codec.item, hidden=True) for tile in (*tiles, *helper_items))]
    references = [
        _reference(b"dimg", _PRIMARY, *tiles),
        *(_reference(b"auxl", item, _PRIMARY) for item in helper_items),
    ]
    if premultiplied:
        references.append(_reference(b"prem", _PRIMARY, helper_items[0]))
    pixels = b"".join(codec.tiles)
    places = {tile: _tile_place(codec, index) for index, tile in enumerate((*tiles, *helper_items))}
    if exif:
        infos.append(_info(_EXIF, b"Exif"))
        references.append(_reference(b"cdsc", _EXIF, _PRIMARY))
        places[_EXIF] = (len(pixels), 4 + len(exif))
        pixels += bytes(4) + exif
    head = box(b"ftyp", codec.brand, bytes(4), codec.brand, b"mif1")

    def meta(pixels_at: int) -> bytes:
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", _PRIMARY)),
            full_box(b"iinf", struct.pack(">H", len(infos)), *infos),
            full_box(b"iref", *references),
            box(b"iprp", box(b"ipco", *catalogue), _uses(uses, catalogue)),
            _locations(len(shape), {item: (pixels_at + at, length) for item, (at, length) in places.items()}),
            box(b"idat", shape),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", pixels)


def single(codec: Codec, *properties: bytes, before: tuple[bytes, ...] = ()) -> bytes:
    """A picture that is one coded tile. properties: after its size; `before`: listed before that."""
    whole = (codec.configuration, *before, size(codec.tile_px, codec.tile_px), *properties)
    head = box(b"ftyp", codec.brand, bytes(4), codec.brand, b"mif1")

    def meta(pixels_at: int) -> bytes:
        place = struct.pack(">HHHII", _PRIMARY, 0, 1, pixels_at, len(codec.tiles[0]))
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", _PRIMARY)),
            full_box(b"iinf", struct.pack(">H", 1), _info(_PRIMARY, codec.item)),
            box(b"iprp", box(b"ipco", *whole), _uses({_PRIMARY: range(1, 1 + len(whole))}, whole)),
            full_box(b"iloc", struct.pack(">HH", 0x4400, 1), place),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", codec.tiles[0])


def _tile_place(codec: Codec, index: int) -> tuple[int, int]:
    tile = index % len(codec.tiles)
    return sum(map(len, codec.tiles[:tile])), len(codec.tiles[tile])


def _info(item: int, kind: bytes, *, hidden: bool = False) -> bytes:
    return full_box(b"infe", struct.pack(">HH4s", item, 0, kind), b"\0", version=2, flags=int(hidden))


def _reference(kind: bytes, origin: int, *targets: int) -> bytes:
    return box(kind, struct.pack(f">HH{len(targets)}H", origin, len(targets), *targets))


def _uses(uses: Mapping[int, Sequence[int]], catalogue: Sequence[bytes]) -> bytes:
    """Which item has which properties of the catalogue, by their places from 1."""

    def marked(index: int) -> int:
        return index | _ESSENTIAL if catalogue[index - 1][4:8] in _ESSENTIALS else index

    entries = (
        struct.pack(">HB", item, len(indices)) + bytes(map(marked, indices)) for item, indices in sorted(uses.items())
    )
    return full_box(b"ipma", struct.pack(">I", len(uses)), *entries)


def _locations(shape_bytes: int, places: dict[int, tuple[int, int]]) -> bytes:
    """The grid's shape lies in `idat`, all else in the file."""
    entries = [struct.pack(">HHHHII", _PRIMARY, 1, 0, 1, 0, shape_bytes)]
    entries += [struct.pack(">HHHHII", item, 0, 0, 1, at, length) for item, (at, length) in sorted(places.items())]
    return full_box(b"iloc", struct.pack(">HH", 0x4400, len(entries)), *entries, version=1)
