"""Which way up: the file's own tag, or else the preview's; a preview that was turned already is left alone."""

import pytest

from media_jobs.demo.exif_writer import Facts, with_facts
from tests import images
from tests.formats import raws
from tests.unit.raw.reading import read
from tests.unit.raw.test_layouts import MAKERS

LARGE = images.jpeg(800, 600)
#: Upright it is higher than wide, and stored as a camera stores it.
UPRIGHT_STORED = {orientation: images.jpeg(600, 800, orientation=orientation) for orientation in (6, 8)}


@pytest.mark.parametrize("magic", [b"II*\0", b"MM\0*"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_reported_mirrored_ones_too(orientation: int, magic: bytes) -> None:
    assert read(raws.dng(LARGE, orientation=orientation, magic=magic)).turn == orientation


@pytest.mark.parametrize("file_tag", [1, 3, 8])
@pytest.mark.parametrize("maker", sorted(MAKERS.keys() - {"raf"}))
def test_the_orientation_of_the_file_counts_and_not_the_preview_s(file_tag: int, maker: str) -> None:
    found = read(MAKERS[maker](UPRIGHT_STORED[6], file_tag))
    assert (found.tag, found.turn) == (file_tag, file_tag)


@pytest.mark.parametrize("own_tag", [6, 8])
@pytest.mark.parametrize("file_tag", [None, 0, 9])
def test_the_preview_s_orientation_counts_where_the_file_has_none(own_tag: int, file_tag: int | None) -> None:
    found = read(raws.dng(UPRIGHT_STORED[own_tag], orientation=file_tag))
    assert (found.tag, found.turn) == (own_tag, own_tag)


@pytest.mark.parametrize("own_tag", range(1, 9))
def test_a_raf_has_the_orientation_of_its_preview(own_tag: int) -> None:
    """Also one of a sensor that lies across, which LibRaw turns by a rule of its own."""
    preview = with_facts(images.jpeg(600, 800), Facts(make="FUJIFILM", model="FinePixS2Pro", orientation=own_tag))
    found = read(raws.raf(preview))
    assert (found.tag, found.turn) == (own_tag, own_tag)


def test_a_file_that_says_nothing_is_left_as_it_is() -> None:
    found = read(raws.dng(LARGE, orientation=None))
    assert (found.tag, found.turn) == (1, 1)


@pytest.mark.parametrize(("file_tag", "turn"), [(5, 1), (6, 1), (8, 1), (3, 3)])
def test_a_preview_that_was_turned_already_is_not_turned_again(file_tag: int, turn: int) -> None:
    for make in (raws.dng, raws.nef, raws.orf, raws.rw2, raws.arw):
        found = read(make(images.jpeg(600, 800), orientation=file_tag))
        assert (found.tag, found.turn) == (file_tag, turn)
    assert read(raws.cr3(images.jpeg(600, 800), LARGE[:200], orientation=file_tag)).turn == turn
