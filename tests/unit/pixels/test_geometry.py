"""How large each rendition becomes, and where its square lies."""

import pytest

from media_jobs.pipeline.geometry import decoded_px, plan, square_at
from media_jobs.pipeline.recipes import GALLFORMERS, LARGEST_SIDE_PX, Fit, Preset, Rendition
from media_jobs.pipeline.values import Focus


def sizes(size_px: tuple[int, int], *renditions: Rendition) -> list[tuple[str, tuple[int, int], int | None]]:
    steps = plan(size_px, Preset("p", renditions))
    return [(step.rendition.name, step.size_px, step.square_px) for step in steps]


def test_a_photo_becomes_the_sizes_of_the_preset():
    assert sizes((3000, 2000), *GALLFORMERS.renditions) == [
        ("full", (2048, 1365), None),
        ("medium", (1024, 683), None),
        ("small", (512, 341), None),
        ("thumb", (300, 200), 200),
    ]


@pytest.mark.parametrize(
    ("fit", "size_px", "square_px"),
    [(Fit.INSIDE, (50, 100), None), (Fit.WIDTH, (100, 200), None), (Fit.COVER, (100, 200), 100)],
)
def test_each_fit_measures_another_side(fit, size_px, square_px):
    assert sizes((300, 600), Rendition("r", 100, fit)) == [("r", size_px, square_px)]


@pytest.mark.parametrize("size_px", [(100, 80), (150, 150), (1, 1), (3, 500)])
def test_nothing_is_enlarged_unasked(size_px):
    for name, planned_px, square_px in sizes(size_px, *GALLFORMERS.renditions):
        if name == "thumb":
            assert square_px == min(*size_px, 200)
        else:
            assert planned_px == size_px


@pytest.mark.parametrize("size_px", [(4001, 3001), (5000, 37), (41, 4999), (3333, 2222), (2049, 2047)])
def test_the_aspect_holds_within_a_pixel(size_px):
    for _, planned_px, square_px in sizes(size_px, *GALLFORMERS.renditions):
        scale = (square_px / min(size_px)) if square_px else max(planned_px) / max(size_px)
        assert all(abs(side * scale - planned) < 1 for side, planned in zip(size_px, planned_px, strict=True))


def test_a_large_square_of_a_panorama_comes_before_smaller_sizes():
    assert sizes((4000, 500), Rendition("small", 300), Rendition("square", 400, Fit.COVER)) == [
        ("square", (3200, 400), 400),
        ("small", (300, 38), None),
    ]


def test_what_is_enlarged_comes_first_and_is_no_reason_to_decode_more_than_there_is():
    steps = plan((100, 50), Preset("p", (Rendition("small", 60), Rendition("large", 300, enlarge=True))))
    assert [(step.size_px, step.enlarges) for step in steps] == [((300, 150), True), ((60, 30), False)]
    assert decoded_px((100, 50), steps) == (100, 50)
    assert decoded_px((100, 50), steps[1:]) == (60, 30)


@pytest.mark.parametrize("fit", Fit)
def test_no_side_passes_what_the_formats_can_hold(fit):
    rendition = Rendition("r", 2000, fit, enlarge=True)
    ((_, planned_px, _),) = sizes((10, 1000), rendition)
    assert max(planned_px) <= LARGEST_SIDE_PX
    assert planned_px[0] < 2000


def test_a_long_picture_still_gives_a_square_of_the_size_that_was_asked_for():
    assert sizes((40_000, 900), Rendition("r", 600, Fit.COVER)) == [("r", (26_667, 600), 600)]


@pytest.mark.parametrize(
    ("focus", "corner"),
    [
        (None, (100, 0)),
        (Focus(0.5, 0.5), (100, 0)),
        (Focus(0, 0), (0, 0)),
        (Focus(1, 1), (200, 0)),
        (Focus(0.4, 0.9), (70, 0)),
    ],
)
def test_the_square_lies_around_the_focus_but_within_the_picture(focus, corner):
    assert square_at((300, 100), 100, focus) == corner
