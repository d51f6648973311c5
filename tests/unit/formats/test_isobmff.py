"""Boxes and items are read from any bytes at all, with an answer or `Damaged`."""

import random
import struct

import pytest

from media_jobs.pipeline.formats import heif_items, isobmff
from media_jobs.pipeline.formats.common import Damaged
from media_jobs.pipeline.formats.pixels import heif_transforms
from tests.formats import heif
from tests.formats.heif import box, full_box

PICTURE = heif.grid(
    heif.HEVC, 128, 96, heif.crop(100, 90), heif.rotation(90), heif.mirror(1), heif.colours(12), exif=b"II*\0facts"
)


def test_boxes_come_with_the_bounds_of_their_content():
    data = box(b"ftyp", b"abcd") + struct.pack(">I4sQ", 1, b"wide", 18) + b"xy" + struct.pack(">I4s", 0, b"last") + b"z"
    found = list(isobmff.boxes(data))
    assert [(one.kind, data[one.start : one.end]) for one in found] == [
        ("ftyp", b"abcd"),
        ("wide", b"xy"),
        ("last", b"z"),
    ]


@pytest.mark.parametrize("size", [2, 7, 13, 2**31])
def test_a_box_smaller_than_its_header_or_larger_than_its_parent_is_damage(size):
    with pytest.raises(Damaged):
        list(isobmff.boxes(struct.pack(">I4s", size, b"free") + bytes(4)))


def test_boxes_without_end_are_damage():
    with pytest.raises(Damaged, match="too many"):
        list(isobmff.boxes(box(b"free") * 20_000))


def test_a_box_is_found_by_its_path():
    data = box(b"free") + box(b"moov", box(b"udta"), box(b"trak", box(b"mdia", b"here")))
    inner = isobmff.find(data, "moov", "trak", "mdia")
    assert inner is not None
    assert data[inner.start : inner.end] == b"here"
    assert isobmff.find(data, "moov", "trak", "tkhd") is None


def test_the_primary_item_has_its_size_and_its_rotation():
    meta = heif_items.meta(PICTURE)
    primary = meta.items[meta.primary]
    assert (primary.kind, primary.width_px, primary.height_px, primary.primaries) == ("grid", 128, 96, 12)
    whole = heif_transforms.frame((primary.width_px, primary.height_px), primary.steps)
    assert (whole.width_px, whole.height_px, whole.window) == (96, 128, heif_transforms.Window(3, 14, 90, 100))
    tiles = [meta.items[number] for number in primary.refs["dimg"]]
    assert [(tile.kind, tile.width_px) for tile in tiles] == [("hvc1", 64)] * 4


def test_items_are_read_from_the_file_and_from_the_box_of_small_data():
    meta = heif_items.meta(PICTURE)
    primary = meta.items[meta.primary]
    assert heif_items.read(PICTURE, primary) == struct.pack(">BBBBHH", 0, 0, 1, 1, 128, 96)
    assert [heif_items.read(PICTURE, meta.items[tile]) for tile in primary.refs["dimg"]] == list(heif.HEVC.tiles)
    (facts,) = [item for item in meta.items.values() if item.kind == "Exif"]
    assert facts.refs == {"cdsc": (meta.primary,)}
    assert heif_items.read(PICTURE, facts) == bytes(4) + b"II*\0facts"


def test_an_item_beyond_the_end_or_of_absurd_size_is_not_read():
    for item in (heif_items.Item("Exif", extents=((10, 200),)), heif_items.Item("Exif", extents=((0, 2**40),))):
        with pytest.raises(Damaged):
            heif_items.read(bytes(100), item)


def test_quicktime_writes_no_version_into_its_meta_box():
    start = PICTURE.index(b"meta") - 4
    end = start + int.from_bytes(PICTURE[start : start + 4], "big")
    plain = PICTURE[:start] + box(b"meta", PICTURE[start + 12 : end])
    assert heif_items.meta(plain).items.keys() == heif_items.meta(PICTURE).items.keys()


def test_a_table_of_absurd_size_is_damage():
    with pytest.raises(Damaged, match="absurd"):
        heif_items.meta(full_box(b"meta", full_box(b"hdlr", bytes(20)), full_box(b"iref", bytes(300_000))))


def test_a_file_cut_anywhere_gives_an_answer_or_is_damaged():
    for length in range(len(PICTURE)):
        read_all(PICTURE[:length])


def test_bytes_changed_anywhere_give_an_answer_or_are_damaged():
    chance = random.Random(3)
    for _ in range(400):
        data = bytearray(PICTURE)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        read_all(bytes(data))


def read_all(data: bytes) -> None:
    try:
        for item in heif_items.meta(data).items.values():
            heif_items.read(data, item)
    except Damaged:
        pass
