"""The preview of every maker's layout is found where that maker keeps it, and lies as the camera was held."""

from collections.abc import Callable
from contextlib import closing
from itertools import permutations

import pytest

from media_jobs.demo.exif_writer import Facts, with_facts
from tests import images
from tests.formats import raw_notes, raw_tiff, raws
from tests.unit.raw.reading import Child, read

LARGE, MIDDLE, SMALL = (images.jpeg(width, width * 3 // 4) for width in (800, 640, 160))
BIG_ENDIAN = b"MM\0*"


def plain(orientation: int) -> bytes:
    """Pixels as a camera stores them for `orientation`, without a tag that says so."""
    stored = images.quadrants(600, 800, orientation=orientation)
    return images.encoded(stored, "JPEG", quality=90)


def fuji(preview: bytes, orientation: int) -> bytes:
    """A RAF: its only orientation is the preview's."""
    shot = Facts(make="FUJIFILM", model="X100", orientation=orientation)
    return raws.raf(with_facts(preview, shot))


MAKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "dng": lambda preview, orientation: raws.dng(SMALL, preview, orientation=orientation),
    "dng, big-endian": lambda preview, turn: raws.dng(SMALL, preview, orientation=turn, magic=BIG_ENDIAN),
    "cr2": lambda preview, orientation: raws.cr2(preview, orientation=orientation),
    "cr3": lambda preview, orientation: raws.cr3(preview, SMALL, orientation=orientation),
    "nef": lambda preview, orientation: raws.nef(preview, orientation=orientation),
    "nef, big-endian": lambda preview, orientation: raws.nef(preview, orientation=orientation, magic=BIG_ENDIAN),
    "arw": lambda preview, orientation: raws.arw(preview, orientation=orientation),
    "raf": fuji,
    "orf": lambda preview, orientation: raws.orf(preview, orientation=orientation),
    "rw2": lambda preview, orientation: raws.rw2(preview, orientation=orientation),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_the_preview_of_every_maker_is_found_and_lies_as_the_camera_was_held(maker: str) -> None:
    for orientation in (6, 8):
        stored = plain(orientation)
        found = read(MAKERS[maker](stored, orientation))
        assert found.code == ""
        assert (found.tag, found.turn) == (orientation, orientation)
        assert found.jpeg.endswith(stored[2:])  # a RAF's has EXIF before it


@pytest.mark.parametrize("maker", MAKERS)
def test_a_picture_that_needs_no_turn_gets_none(maker: str) -> None:
    found = read(MAKERS[maker](LARGE, 1))
    assert (found.size_px, found.turn) == ((800, 600), 1)


def test_numpy_and_libraw_stay_unloaded_where_the_tables_name_a_preview() -> None:
    files = [make(LARGE, 6) for make in MAKERS.values()]
    files += [raw_notes.with_note(note, LARGE) for note in raw_notes.NOTES]
    files += [raw_notes.converted_dng(SMALL, in_note=LARGE), raw_notes.big_dng(LARGE, orientation=3)]
    with closing(Child()) as child:
        answers = [child.read(data) for data in files]
        assert [(found.code, found.libraw) for found in answers] == [("", False)] * len(files)
        assert child.read(raws.dng()).libraw  # it would be seen


@pytest.mark.parametrize("order", list(permutations([LARGE, MIDDLE, SMALL])), ids=range(6))
@pytest.mark.parametrize("magic", [b"II*\0", BIG_ENDIAN])
def test_the_largest_preview_wins_wherever_it_lies(order: tuple[bytes, ...], magic: bytes) -> None:
    assert read(raws.dng(*order, magic=magic)).jpeg == LARGE


def test_directories_may_lie_in_any_order_and_behind_each_other() -> None:
    """The main one last, a chain that leads backwards, a preview four levels deep."""
    tiff = raw_tiff.Structure(b"MM\0*")
    deepest = tiff.directory(raw_tiff.jpeg_picture(tiff, LARGE))
    for _ in range(3):
        deepest = tiff.directory({0x00FE: (raw_tiff.LONG, 0), 0x014A: (raw_tiff.LONG, deepest)})
    chained = tiff.directory(raw_tiff.jpeg_picture(tiff, SMALL))
    last = tiff.directory(
        {**raw_tiff.grey_raw(tiff), 0xC612: (raw_tiff.BYTE, bytes(4)), 0x014A: (raw_tiff.LONG, deepest)}, chained
    )
    tiff.data[4:8] = last.to_bytes(4, "big")
    assert read(bytes(tiff.data)).jpeg == LARGE


@pytest.mark.parametrize("picture", [raw_tiff.jpeg_picture, raw_tiff.pointed_jpeg])
def test_a_preview_in_the_third_directory_of_a_chain_is_found(picture: Callable[..., raw_tiff.Entries]) -> None:
    """Where newer cameras of Sony have the one of full size."""
    tiff = raw_tiff.Structure()
    third = tiff.directory({0x0103: (raw_tiff.SHORT, 6), **picture(tiff, LARGE)})
    second = tiff.directory(raw_tiff.pointed_jpeg(tiff, SMALL), third)
    camera = raw_tiff.camera(b"SONY\0", b"ILCE-1\0", 8)
    raw = tiff.directory({0x00FE: (raw_tiff.LONG, 0), **raw_tiff.grey_raw(tiff)})
    main = {0x00FE: (raw_tiff.LONG, 1), 0x014A: (raw_tiff.LONG, raw), **raw_tiff.pointed_jpeg(tiff, MIDDLE), **camera}
    found = read(tiff.finish(main, second))
    assert (found.jpeg, found.turn, found.number) == (LARGE, 8, 2)


def test_panasonic_s_second_preview_is_found() -> None:
    assert read(raws.rw2(MIDDLE, second=LARGE)).jpeg == LARGE
    assert read(raws.rw2(LARGE, second=MIDDLE)).jpeg == LARGE


def test_every_preview_of_a_cr3_is_found() -> None:
    assert read(raws.cr3(LARGE, MIDDLE)).jpeg == LARGE
    assert read(raws.cr3(MIDDLE, LARGE)).jpeg == LARGE
    assert read(raws.cr3(MIDDLE, SMALL, thumbnail=LARGE)).jpeg == LARGE


@pytest.mark.parametrize("note", raw_notes.NOTES)
@pytest.mark.parametrize("magic", [b"II*\0", BIG_ENDIAN])
def test_previews_in_maker_notes_are_found(note: str, magic: bytes) -> None:
    found = read(raw_notes.with_note(note, LARGE, magic=magic))
    assert (found.code, found.jpeg) == ("", LARGE)


def test_a_note_that_adobe_s_converter_moved_is_read() -> None:
    found = read(raw_notes.converted_dng(SMALL, in_note=LARGE))
    assert (found.code, found.jpeg) == ("", LARGE)


def test_big_tiff_is_read() -> None:
    found = read(raw_notes.big_dng(LARGE, orientation=3))
    assert (found.code, found.jpeg, found.turn) == ("", LARGE, 3)


def test_raw_data_is_no_preview_whatever_it_starts_with() -> None:
    """JPEG's own coding is one of those that raw data come in, and a track may start with its mark."""
    tiff = raw_tiff.Structure()
    raw = tiff.directory(
        raw_tiff.jpeg_picture(tiff, LARGE) | {0x0106: (raw_tiff.SHORT, 34892), 0x00FE: (raw_tiff.LONG, 0)}
    )
    mask = tiff.directory(raw_tiff.jpeg_picture(tiff, LARGE) | {0x00FE: (raw_tiff.LONG, 4)})
    camera = {0xC612: (raw_tiff.BYTE, bytes(4)), 0x014A: (raw_tiff.LONG, (raw, mask))}
    assert read(tiff.finish(raw_tiff.jpeg_picture(tiff, MIDDLE) | camera)).jpeg == MIDDLE
    assert read(raws.cr3(MIDDLE, SMALL, raw=LARGE)).jpeg == MIDDLE
