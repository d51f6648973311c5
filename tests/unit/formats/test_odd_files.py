"""Odd files come out right, or say why not: never a wrong picture."""

import pytest

from tests.formats.decoded import Decoded, decoded
from tests.odd import Corners
from tests.odd.table import KINDS, odd_files

ODD = odd_files()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoded]:
    return decoded({name: odd.data for name, odd in ODD.items()}, tmp_path_factory.mktemp("odd") / "files")


def on_white(found: Decoded) -> Corners:
    corners = (corner if found.bands > 2 else corner[:1] * 3 + corner[1:] for corner in found.corners)
    return tuple(
        tuple(round((value * alpha[0] + 255 * (255 - alpha[0])) / 255) for value in colour)
        for corner in corners
        for colour, alpha in [(corner[:3], corner[3:] or (255,))]
    )


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_the_right_picture_or_says_why_not(results, name: str):
    found = results[name]
    assert not ODD[name].complaint(found.code, found.sentence, found.size_px, on_white(found), tolerance=4)


def test_whole_services_are_tried_with_files_that_exist():
    assert set(KINDS) <= set(ODD)
