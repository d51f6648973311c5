"""Real files: each fault that is put into a picture is found, and what honest encoders do is not taken for one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import pyvips

from media_jobs import errors
from media_jobs.demo.exif_writer import Facts, with_facts
from media_jobs.pipeline.compare import likeness
from media_jobs.pipeline.compare.judge import judge_pair
from media_jobs.pipeline.compare.measuring import measure
from media_jobs.pipeline.compare.values import CompareRequest, Pair, PairRequest, SizeJudgement
from media_jobs.pipeline.orientation import turn
from tests.formats import profiles
from tests.formats.pictures import flat, tagged
from tests.unit.compare import changes

WIDTH_PX = 800
Judge = Callable[..., dict[str, SizeJudgement]]


@pytest.fixture(scope="module")
def photo() -> pyvips.Image:
    """Upright, with soft shapes, grain, and fine lines here and there."""
    size = (1600, 1200)
    shapes = [110 * pyvips.Image.perlin(*size, cell_size=200, seed=seed) + 128 for seed in (3, 4, 5)]
    detail = 30 * pyvips.Image.perlin(*size, cell_size=12, seed=9) + pyvips.Image.gaussnoise(*size, sigma=6, seed=11)
    lines = (
        pyvips.Image.sines(*size, hfreq=170, vfreq=90) * 25 * (pyvips.Image.perlin(*size, cell_size=300, seed=2) > 0.2)
    )
    bands = [shape + detail + lines / 255 for shape in shapes]
    return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb").copy_memory()


@pytest.fixture
def judged(photo, tmp_path) -> Judge:
    """Judges files by name, each as ours and as theirs beside a good one of the other side."""

    def judge(files: dict[str, bytes], side: str, original: bytes = b"", good: bytes = b"") -> dict[str, SizeJudgement]:
        measures = measure(
            CompareRequest(
                _written(tmp_path / "original", original or changes.jpeg(photo, 95)),
                tuple(_pairs(tmp_path, files, side, good or getattr(changes, _other(side))(photo, WIDTH_PX))),
            )
        )
        return {pair.name: judge_pair(pair, measures) for pair in measures.pairs}

    return judge


def _other(side: str) -> str:
    return "legacy" if side == "ours" else "ours"


def _pairs(folder: Path, files: dict[str, bytes], side: str, good: bytes) -> list[PairRequest]:
    other = _written(folder / "good", good)
    made = {name: _written(folder / f"file-{at}", data) for at, (name, data) in enumerate(files.items())}
    sides = [{side: path, _other(side): other} for path in made.values()]
    return [PairRequest(name, WIDTH_PX, both["legacy"], both["ours"]) for name, both in zip(made, sides, strict=True)]


def _written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(("side", "wrong"), [("ours", {"worse", "different"}), ("legacy", {"worse", "different"})])
def test_encoding_again_or_by_another_filter_is_no_fault(judged, photo, side, wrong):
    found = judged({name: change(photo, WIDTH_PX) for name, change in changes.HARMLESS.items()}, side)
    assert {name: told for name, told in found.items() if told.verdict in wrong or told.reason == "sharper"} == {}


@pytest.mark.parametrize(("side", "right"), [("ours", {"worse"}), ("legacy", {"better"})])
def test_each_fault_is_found_on_whichever_side_it_is(judged, photo, side, right):
    found = judged({name: change(photo, WIDTH_PX) for name, change in changes.HARMFUL.items()}, side)
    assert {name: told for name, told in found.items() if told.verdict not in right or told.reason == "smaller"} == {}
    expected = {
        "half a pixel to the right": "moved",
        "half a pixel down": "moved",
        "a quarter turn": "turned",
        "mirrored": "turned",
        "cropped to 90 %": "cropped",
        "cropped to 97 %": "cropped",
        "squeezed into a square": "size",
        "lower half grey": "damaged",
        "lower half black": "damaged",
        "brighter": "colour",
        "another picture": "cropped",
    }
    assert {name: found[name].reason for name in expected} == expected


def test_a_profile_that_was_dropped_leaves_a_picture_dull(judged, photo):
    p3 = tagged(photo, profiles.rgb(profiles.DISPLAY_P3))
    original = bytes(p3.jpegsave_buffer(Q=95, keep="icc"))
    upright = pyvips.Image.new_from_buffer(original, "").icc_transform("srgb", embedded=True)
    honest, dull = changes.ours(upright, WIDTH_PX), changes.dull(photo, WIDTH_PX)
    found = judged({"dull": dull, "honest": honest}, "ours", original, changes.legacy(upright, WIDTH_PX))
    assert (found["dull"].verdict, found["dull"].reason) == ("worse", "colour")
    assert (found["honest"].verdict, found["honest"].reason) == ("better", "smaller")
    kept = changes.resized(p3, WIDTH_PX).jpegsave_buffer(Q=90, keep="icc")
    assert judged({"kept": kept}, "ours", original, honest)["kept"].verdict == "same"  # viewers obey the profile


def test_what_the_live_site_does_is_better_in_ours(judged, photo):
    """It ignores orientation, leaves positions in, and makes each size of the smaller one before."""
    original = with_facts(changes.jpeg(photo.rot270(), 95), Facts(orientation=6, latitude=47.5, longitude=8.5))
    ours = changes.ours(photo, WIDTH_PX)
    lies = changes.jpeg(changes.resized(photo.rot270(), WIDTH_PX), 100)
    tells = with_facts(changes.legacy(photo, WIDTH_PX), Facts(latitude=47.5, longitude=8.5))
    grown = changes.jpeg(changes.resized(changes.resized(photo, 300), WIDTH_PX), 100)
    found = judged({"lies": lies, "tells": tells, "grown": grown}, "legacy", original, ours)
    assert {name: told.verdict for name, told in found.items()} == dict.fromkeys(found, "better")
    assert (found["lies"].reason, found["tells"].reason) == ("turned", "metadata")
    assert found["grown"].reason in ("moved", "sharper")


def test_a_file_that_is_no_picture_is_told_apart_from_one_that_is_not_there(photo, tmp_path):
    whole = changes.legacy(photo, WIDTH_PX)
    original, good = _written(tmp_path / "original", changes.jpeg(photo, 95)), _written(tmp_path / "good", whole)
    cut, text = _written(tmp_path / "cut", whole[:9000]), _written(tmp_path / "text", b"no picture")
    asked = [("cut", cut, good), ("text", text, good), ("none", None, good), ("ours cut", good, cut)]
    pairs = tuple(PairRequest(name, WIDTH_PX, legacy, ours) for name, legacy, ours in asked)
    measures = measure(CompareRequest(original, pairs))
    found = {pair.name: judge_pair(pair, measures) for pair in measures.pairs}
    assert {name: (told.verdict, told.reason) for name, told in found.items()} == {
        "cut": ("better", "legacy_unreadable"),
        "text": ("better", "legacy_unreadable"),
        "none": ("missing", "legacy_missing"),
        "ours cut": ("worse", "ours_unreadable"),
    }
    with pytest.raises(errors.ImageRefused):
        measure(CompareRequest(text, pairs))


def test_a_picture_of_few_pixels_or_none_of_detail_can_be_compared(tmp_path):
    for size_px in ((1, 1), (9, 5), (2000, 3), (700, 500)):
        plain = flat(90, 120, 60, size_px=size_px)
        path = _written(tmp_path / "plain", bytes(plain.pngsave_buffer()))
        measures = measure(CompareRequest(path, (PairRequest("any", size_px[0], path, path),)))
        told: Pair = measures.pairs[0]
        assert judge_pair(told, measures).verdict == "same", told


def test_planes_are_turned_as_images_are(photo):
    image = photo.resize(0.02)
    for way, turned in likeness.TURNS.items():
        wanted = likeness.luminance(turn(image.copy_memory(), way))
        assert abs(turned(likeness.luminance(image)) - wanted).max() < 0.001
