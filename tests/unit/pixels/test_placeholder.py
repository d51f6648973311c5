"""What a page shows first is tiny, and of the picture's shape and colour."""

import base64

import pytest

from media_jobs.pipeline.placeholder import placeholder
from tests.formats.pictures import flat, is_upright, opened, quadrants

PREFIX = "data:image/webp;base64,"


@pytest.mark.parametrize("size_px", [(300, 200), (200, 300), (267, 200), (3, 500), (16, 16), (7, 5), (1, 1)])
def test_it_is_a_small_webp_of_the_same_shape(size_px):
    uri = placeholder(quadrants(*size_px) if min(size_px) > 1 else flat(1, 2, 3, size_px=size_px)).uri
    picture = opened(base64.b64decode(uri.removeprefix(PREFIX)))
    assert uri.startswith(PREFIX)
    assert len(uri) < 400
    assert max(picture.width, picture.height) <= 16
    assert abs(picture.width / picture.height - size_px[0] / size_px[1]) < 0.35


def test_it_shows_the_picture():
    picture = opened(base64.b64decode(placeholder(quadrants(320, 240)).uri.removeprefix(PREFIX)))
    assert is_upright(picture)


def test_transparency_stays():
    see_through = flat(200, 100, 50, 0, size_px=(60, 60)).insert(flat(200, 100, 50, 255, size_px=(30, 60)), 0, 0)
    uri = placeholder(see_through).uri
    picture = opened(base64.b64decode(uri.removeprefix(PREFIX)))
    assert len(uri) < 400
    assert picture.bands == 4
    assert (picture(1, 8)[3], picture(14, 8)[3]) == (255, 0)


def test_the_dominant_colour_is_the_most_common_one_not_the_average():
    blue_and_a_little_red = flat(10, 20, 200, size_px=(90, 60)).insert(flat(250, 0, 0, size_px=(30, 60)), 0, 0)
    assert placeholder(blue_and_a_little_red).colour == "#0a14c8"


def test_transparent_pixels_have_no_colour():
    mostly_clear = flat(250, 0, 0, 0, size_px=(60, 60)).insert(flat(10, 20, 200, 255, size_px=(12, 60)), 0, 0)
    assert placeholder(mostly_clear).colour == "#0a14c8"
    assert placeholder(flat(250, 0, 0, 0)).colour == "#ffffff"


def test_grey_has_a_grey_colour():
    assert placeholder(flat(90)).colour == "#5a5a5a"
