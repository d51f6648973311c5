"""Whatever a raw file claims, little of it is read, and soon."""

import struct
from collections.abc import Callable

import pytest

from media_jobs.pipeline.formats.common import Damaged
from media_jobs.pipeline.raw import choice, ifd
from media_jobs.pipeline.raw.named import MAX_PREVIEWS
from tests import images
from tests.formats import raw_notes, raw_tiff, raws
from tests.formats.counted import Counted
from tests.unit.raw.test_layouts import MAKERS

LARGE, SMALL = images.jpeg(1200, 900), images.jpeg(160, 120)
MB = 1_048_576


def kind_of(maker: str) -> str:
    return maker.partition(",")[0]


@pytest.mark.parametrize("maker", MAKERS)
def test_of_a_large_file_only_the_directories_and_the_heads_of_previews_are_read(maker: str) -> None:
    data = Counted(MAKERS[maker](LARGE, 1) + bytes(20 * MB))
    found = choice.whole_previews(data, choice.listing(data, kind_of(maker)))
    assert found[0].size_px == (1200, 900)
    assert data.looked_at < 200_000


def chain_of(directories: int, *, loop: bool) -> bytes:
    """Directories behind each other, the last of which leads back to the first."""
    tiff = raw_tiff.Structure()
    at = tiff.first if loop else 0
    for _ in range(directories):
        at = tiff.directory(raw_tiff.pointed_jpeg(tiff, SMALL), at)
    return tiff.finish({0xC612: (raw_tiff.BYTE, bytes(4)), **raw_tiff.jpeg_picture(tiff, LARGE)}, at)


def nested(depth: int) -> bytes:
    tiff = raw_tiff.Structure()
    at = tiff.directory(raw_tiff.jpeg_picture(tiff, LARGE))
    for _ in range(depth):
        at = tiff.directory({0x00FE: (raw_tiff.LONG, 1), 0x014A: (raw_tiff.LONG, (at, tiff.first))})
    return tiff.finish(
        {0xC612: (raw_tiff.BYTE, bytes(4)), 0x014A: (raw_tiff.LONG, at), **raw_tiff.jpeg_picture(tiff, SMALL)}
    )


def boxes_without_end() -> bytes:
    whole = raws.cr3(LARGE, SMALL)
    at = whole.index(b"moov") + 4
    filler = struct.pack(">I4s", 8, b"free") * 100_000
    return whole[: at - 8] + struct.pack(">I", len(filler) + 8) + b"moov" + filler


def note_that_leads_to_itself() -> bytes:
    tiff = raw_tiff.Structure(b"IIRO")
    note_at = len(tiff.data)
    note = b"OLYMPUS\0II\3\0" + raw_tiff.directory_bytes({0x2020: (raw_tiff.LONG, 12)}, 12, 12)
    exif = tiff.directory({0x927C: (raw_tiff.UNDEFINED, raw_tiff.Placed(tiff.put(note), len(note)))})
    assert note_at == tiff.data.index(note)
    return tiff.finish(raw_tiff.grey_raw(tiff) | {0x8769: (raw_tiff.LONG, exif), **raw_tiff.pointed_jpeg(tiff, LARGE)})


@pytest.mark.parametrize(
    ("kind", "make", "size_px"),
    [
        ("dng", lambda: chain_of(20, loop=True), (1200, 900)),
        ("dng", lambda: chain_of(3_000, loop=False), (1200, 900)),
        ("dng", lambda: nested(3), (1200, 900)),
        ("dng", lambda: nested(50), (160, 120)),
        ("orf", note_that_leads_to_itself, (1200, 900)),
    ],
    ids=["a loop", "thousands of directories", "some depth", "absurd depth", "a note that leads to itself"],
)
def test_loops_depth_and_number_end(kind: str, make: Callable[[], bytes], size_px: tuple[int, int]) -> None:
    data = Counted(make())
    listing = choice.listing(data, kind)
    assert len(listing.previews) <= MAX_PREVIEWS
    assert choice.whole_previews(data, listing)[0].size_px == size_px
    assert data.looked_at < 500_000


def test_boxes_without_end_are_not_all_walked() -> None:
    data = Counted(boxes_without_end())
    assert choice.listing(data, "cr3").previews == []
    assert data.looked_at < 20_000


def test_so_many_previews_are_looked_at_and_no_more() -> None:
    tiff = raw_tiff.Structure()
    below = [
        tiff.directory(raw_tiff.jpeg_picture(tiff, images.jpeg(20 + n, 20)) | raw_tiff.pointed_jpeg(tiff, SMALL))
        for n in range(30)
    ]
    chained = 0
    for n in range(30):
        chained = tiff.directory(raw_tiff.jpeg_picture(tiff, images.jpeg(60 + n, 20)), chained)
    data = tiff.finish({0xC612: (raw_tiff.BYTE, bytes(4)), 0x014A: (raw_tiff.LONG, tuple(below))}, chained)
    assert len(choice.listing(data, "dng").previews) == MAX_PREVIEWS


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("entries", [0, 1_001, 65_535])
def test_a_directory_of_absurd_length_is_damaged(order: str, entries: int) -> None:
    structure = ifd.Structure(struct.pack(order + "H", entries) + bytes(900_000), order)
    with pytest.raises(Damaged):
        structure.directory(0)


@pytest.mark.parametrize("at", [-1, -2, 10**12])
def test_what_lies_before_or_behind_the_file_is_beyond(at: int) -> None:
    with pytest.raises(ifd.Beyond):
        ifd.Structure(bytes(100), "<").read(at, 4)


def test_a_preview_that_a_moved_note_names_elsewhere_is_no_sign_of_a_cut() -> None:
    """A converter keeps the note, not what it points to."""
    whole = raw_notes.converted_dng(LARGE, in_note=SMALL)
    at = whole.index(struct.pack(">HHII", 0x0202, 4, 1, len(SMALL)))
    lying = whole[: at + 8] + struct.pack(">I", 0x7FFFFFF0) + whole[at + 12 :]
    data = choice.whole_previews(lying, choice.listing(lying, "dng"))
    assert [found.size_px for found in data] == [(1200, 900)]
