"""The largest preview that can be used is taken; one that is cut off is never hidden by a smaller one."""

import struct
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests import images
from tests.formats import raw_notes, raw_tiff, raws
from tests.unit.raw.reading import Child, read
from tests.unit.raw.test_layouts import MAKERS

LARGE, MIDDLE, SMALL = (images.jpeg(width, width * 3 // 4) for width in (1200, 800, 160))
DNG: raw_tiff.Entries = {0xC612: (raw_tiff.BYTE, bytes([1, 4, 0, 0])), 0x0112: (raw_tiff.SHORT, 1)}
LOSSLESS = LARGE.replace(b"\xff\xc0", b"\xff\xc3")
DEEP = LARGE.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c")
HEVC = b"\0\0\0\1CISZ" + bytes(4_000)
JPEG_XL = b"\xff\x0a" + bytes(4_000)


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with closing(Child()) as process:
        yield process


def with_pictures(*make: Callable[[raw_tiff.Structure], raw_tiff.Entries]) -> bytes:
    """A DNG with a directory for each; MIDDLE is in the main one."""
    tiff = raw_tiff.Structure()
    raw = tiff.directory({0x00FE: (raw_tiff.LONG, 0), **raw_tiff.grey_raw(tiff)})
    below = [raw, *(tiff.directory(one(tiff)) for one in make)]
    return tiff.finish(raw_tiff.jpeg_picture(tiff, MIDDLE) | DNG | {0x014A: (raw_tiff.LONG, tuple(below))})


def stored(jpeg: bytes, **options: object) -> Callable[[raw_tiff.Structure], raw_tiff.Entries]:
    return lambda tiff: raw_tiff.jpeg_picture(tiff, jpeg, **{"px": (1200, 900), **options})  # type: ignore[arg-type]


# --- cut off --------------------------------------------------------------------------------------


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("share", [0.02, 0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_raw_file_cut_anywhere_gives_its_largest_preview_or_says_so(maker: str, share: float, child: Child) -> None:
    data = MAKERS[maker](LARGE, 1)
    found = child.read(data[: int(len(data) * share)])
    assert found.code == "truncated" or (found.code == "" and found.jpeg.endswith(LARGE[2:])), (
        found.code,
        found.size_px,
    )


@pytest.mark.parametrize("missing_bytes", [1, 63, 64, 300, 5_000])
def test_a_file_that_ends_within_its_preview_is_truncated(missing_bytes: int) -> None:
    data = raws.rw2(LARGE)
    assert data.endswith(LARGE)
    assert read(data[:-missing_bytes]).code == "truncated"


@pytest.mark.parametrize("small", [SMALL, MIDDLE])
def test_a_smaller_preview_does_not_hide_that_the_largest_is_cut_off(small: bytes) -> None:
    """As in the first megabyte of a Sony, which has both in front, and says no size of either."""
    tiff = raw_tiff.Structure()
    second = tiff.directory(raw_tiff.pointed_jpeg(tiff, small))
    raw = tiff.directory({0x00FE: (raw_tiff.LONG, 0), **raw_tiff.grey_raw(tiff)})
    camera = raw_tiff.camera(b"SONY\0", b"ILCE-7M3\0", 1)
    main = {0x00FE: (raw_tiff.LONG, 1), 0x014A: (raw_tiff.LONG, raw), **raw_tiff.pointed_jpeg(tiff, LARGE), **camera}
    whole = tiff.finish(main, second)
    preview_at = whole.index(LARGE)
    assert read(whole).jpeg == LARGE
    for end in (preview_at, preview_at + 1, preview_at + 2_000, preview_at + len(LARGE) - 1):
        assert read(whole[:end]).code == "truncated", end


def test_what_is_missing_of_smaller_previews_and_of_raw_data_does_not_matter() -> None:
    whole = raws.cr3(LARGE, SMALL, raw=bytes(100_000))
    assert read(whole[:-90_000]).jpeg == LARGE
    tiff = raw_tiff.Structure()
    main = raw_tiff.jpeg_picture(tiff, LARGE)
    second = tiff.directory(
        raw_tiff.grey_raw(tiff) | {0x0201: (raw_tiff.LONG, 9_000_000), 0x0202: (raw_tiff.LONG, 500)}
    )
    assert read(tiff.finish(main | DNG, second)).jpeg == LARGE


def test_directories_beyond_the_end_might_name_a_larger_one() -> None:
    whole = raws.dng(MIDDLE, LARGE)
    assert read(whole).jpeg == LARGE
    last_directory = whole.rindex(struct.pack("<HHIHHI", 0x00FE, 4, 1, 0, 0x0100, 4)[:8])
    assert read(whole[:last_directory]).code == "truncated"


def test_a_cr3_that_ends_before_its_samples_is_cut_whatever_they_are() -> None:
    whole = raws.cr3(HEVC, LARGE, codec=b"HEVC")
    assert read(whole).jpeg == LARGE
    preview_at = whole.index(LARGE)
    for end in (preview_at - 50, preview_at + 100, preview_at + len(LARGE)):
        assert read(whole[:end]).code == "truncated"


def test_nobody_gets_the_preview_of_the_file_before(child: Child) -> None:
    whole = raws.cr3(LARGE, SMALL)
    cut_before_its_preview = whole[: whole.index(LARGE)]
    for _ in range(10):
        assert child.read(whole).jpeg == LARGE
        assert child.read(cut_before_its_preview).code == "truncated"


# --- unusable -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unusable",
    [LOSSLESS, DEEP, b"garbage " * 5_000, JPEG_XL, bytes(30_000), LARGE[:2] + b"\0" + LARGE[3:], LARGE[:100]],
    ids=["lossless", "12 bits", "garbage", "JPEG XL", "zeros", "no marker", "no frame"],
)
@pytest.mark.parametrize("layout", ["strip", "pointed"])
def test_where_the_largest_cannot_be_used_the_next_one_is_taken(unusable: bytes, layout: str) -> None:
    def picture(tiff: raw_tiff.Structure) -> raw_tiff.Entries:
        strip = raw_tiff.jpeg_picture(tiff, unusable, px=(1200, 900))
        return strip if layout == "strip" else {**raw_tiff.pointed_jpeg(tiff, unusable), 0x0100: (raw_tiff.LONG, 1200)}

    found = read(with_pictures(picture))
    assert (found.code, found.jpeg) == ("", MIDDLE)


def test_a_directory_that_lies_about_a_size_does_not_win() -> None:
    assert read(with_pictures(stored(SMALL, px=(9_000, 6_000)))).jpeg == MIDDLE
    assert read(with_pictures(stored(LARGE, px=(16, 12)))).jpeg == LARGE


def test_a_bitmap_that_is_larger_does_not_hide_a_preview() -> None:
    assert read(raws.dng(MIDDLE, bitmap_px=(1_000, 800))).jpeg == MIDDLE


@pytest.mark.parametrize("cuts", [(9_000,), (300,), (1_000, 5_000), tuple(range(1_000, 9_000, 1_000))])
def test_a_jpeg_in_several_strips_is_joined(cuts: tuple[int, ...]) -> None:
    assert len(LARGE) > 9_000
    assert read(with_pictures(stored(LARGE, cuts=cuts))).jpeg == LARGE


def test_strips_that_are_pictures_of_their_own_are_passed_over() -> None:
    """Two halves of a picture, as TIFF stores JPEG: neither is the picture."""
    half = images.jpeg(1200, 450)
    found = read(with_pictures(stored(half + half, cuts=(len(half),), px=(1200, 900))))
    assert (found.code, found.jpeg) == ("", MIDDLE)


@pytest.mark.parametrize(("said_px", "wins"), [((1200, 900), True), ((1100, 900), False)])
def test_a_tile_is_taken_if_it_is_the_picture(said_px: tuple[int, int], wins: bool) -> None:
    def picture(tiff: raw_tiff.Structure) -> raw_tiff.Entries:
        entries = raw_tiff.jpeg_picture(tiff, LARGE, px=said_px)
        return {{0x0111: 0x0144, 0x0117: 0x0145}.get(tag, tag): entry for tag, entry in entries.items()}

    assert read(with_pictures(picture)).jpeg == (LARGE if wins else MIDDLE)


def test_four_previews_are_tried_at_most() -> None:
    found = read(with_pictures(*(stored(images.jpeg(900 + 10 * n, 600)) for n in range(8))))
    assert (found.size_px, found.number) == ((970, 600), 4)


# --- too small ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size_px", "is_enough"), [((640, 100), True), ((100, 640), True), ((639, 639), False)])
def test_the_longer_side_must_be_large_enough(size_px: tuple[int, int], is_enough: bool, child: Child) -> None:
    found = child.read(raws.nef(images.jpeg(*size_px)))
    assert (found.code == "") is is_enough
    if not is_enough:
        assert found.code == "raw_no_preview"
        assert "639×639" in found.sentence
        assert "640" in found.sentence


NOTHING = "holds no preview picture"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (raws.dng(), (NOTHING,)),
        (raws.dng(bitmap_px=(800, 600)), (NOTHING,)),
        (raws.cr3(HEVC, SMALL), ("160×120", "HEVC", "HDR PQ")),
        (raws.cr3(HEVC, HEVC), (NOTHING, "HEVC")),
        (raws.cr3(bytes(9_000), SMALL, codec=b"HEVC"), ("160×120", "HEVC")),
        (raws.dng(SMALL, bitmap_px=(800, 600)), ("160×120",)),
        (raws.jpeg_xl_dng(SMALL, JPEG_XL), ("160×120", "JPEG XL", "DNG 1.7")),
    ],
    ids=["nothing", "a bitmap", "HEVC", "only HEVC", "HEVC by its track", "a bitmap hides it", "JPEG XL"],
)
def test_a_raw_file_without_a_preview_says_what_there_is(data: bytes, words: tuple[str, ...], child: Child) -> None:
    found = child.read(data)
    assert found.code == "raw_no_preview"
    assert all(word in found.sentence for word in words), found.sentence
    assert ("coded as" in found.sentence) is any(word in ("HEVC", "JPEG XL") for word in words)


def test_a_coding_that_is_not_read_is_no_reason_where_a_preview_is_large_enough() -> None:
    assert read(raws.jpeg_xl_dng(MIDDLE, JPEG_XL)).jpeg == MIDDLE


def test_libraw_is_asked_where_the_tables_name_nothing_large(child: Child) -> None:
    found = child.read(raw_notes.dng_with_unmarked_note(SMALL, hidden=LARGE))
    assert (found.code, found.libraw) == ("", True)
    assert found.jpeg.endswith(LARGE[2:])


@pytest.mark.parametrize(
    "data", [b"II*\0" + bytes(500), raws.dng()[:40], raws.raf(LARGE)[:80], raws.cr3(LARGE, SMALL)[:100]]
)
def test_what_is_hardly_a_raw_file_gets_a_code(data: bytes, child: Child) -> None:
    assert child.read(data).code in ("undecodable", "truncated", "raw_no_preview")
