"""What comes out of the pipeline, for every kind of picture that goes in."""

import hashlib
from dataclasses import replace

import pytest
import pyvips

from media_jobs import errors
from media_jobs.demo.exif_writer import Facts, with_facts
from media_jobs.pipeline.decode import UnexpectedSize, decode
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.recipes import GALLFORMERS, INGEST, Crop, Fit, Format, Preset, Rendition
from media_jobs.pipeline.render import render
from media_jobs.pipeline.values import Focus, Limits, Overrides, Request
from tests.formats import profiles
from tests.formats.pictures import at, encoded, flat, is_upright, jpeg, near, quadrants, tagged
from tests.unit.conftest import SIZES


def one(**settings: object) -> Preset:
    """A preset of one rendition called `only`, in PNG unless said otherwise, so that pixels can be compared exactly."""
    return Preset("one", (Rendition("only", **{"side_px": 400, "format": Format.PNG, **settings}),))  # type: ignore[arg-type]


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "options", "format"),
    [
        (".jpg", {}, "jpeg"),
        (".jpg", {"interlace": True}, "jpeg"),
        (".png", {}, "png"),
        (".png", {"palette": True}, "png"),
        (".webp", {}, "webp"),
        (".webp", {"lossless": True}, "webp"),
        (".gif", {}, "gif"),
        (".tif", {"compression": "lzw"}, "tiff"),
        (".tif", {"bigtiff": True}, "tiff"),
        (".avif", {"effort": 0}, "avif"),
    ],
)
def test_every_format_becomes_every_rendition(make, suffix, options, format):
    rendered, files = make(encoded(quadrants(240, 160), suffix, **options))
    assert (rendered.format, rendered.width_px, rendered.height_px) == (format, 240, 160)
    sizes = {name: (file.width, file.height) for name, file in files.items()}
    assert sizes == {"large": (160, 107), "middle": (80, 53), "small": (40, 27), "square": (32, 32)}
    assert {(o.width_px, o.height_px) for o in rendered.outputs} == set(sizes.values())
    assert all(is_upright(file) for file in files.values())


def test_outputs_come_in_the_order_of_the_preset_and_say_what_they_are(make, tmp_path):
    rendered, _ = make(jpeg(200, 200), INGEST)
    assert [output.name for output in rendered.outputs] == [rendition.name for rendition in INGEST.renditions]
    assert [output.format for output in rendered.outputs] == [Format.WEBP, Format.JPEG] * 2
    for output in rendered.outputs:
        content = (tmp_path / "0" / output.file).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (output.size_bytes, output.sha256)


def test_each_finished_output_is_reported(tmp_path):
    (tmp_path / "source").write_bytes(jpeg())
    heard = []
    render(Request(str(tmp_path / "source"), str(tmp_path), "0" * 64, SIZES), lambda done, of: heard.append((done, of)))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_small_picture_keeps_its_size_unless_it_shall_grow(make):
    _, files = make(jpeg(60, 30), Preset("p", (Rendition("kept", 120), Rendition("grown", 120, enlarge=True))))
    assert (files["kept"].width, files["kept"].height) == (60, 30)
    assert (files["grown"].width, files["grown"].height) == (120, 60)


def test_each_size_is_made_from_the_picture_and_never_from_an_enlarged_one(make):
    noise = (quadrants(64, 64) + pyvips.Image.gaussnoise(64, 64, sigma=40, seed=1)).cast("uchar").copy_memory()
    kept, grown, larger = (
        Rendition(name, side_px, format=Format.PNG, enlarge=True)
        for name, side_px in (("kept", 64), ("grown", 100), ("larger", 130))
    )
    _, alone = make(encoded(noise), Preset("p", (grown,)))
    _, among = make(encoded(noise), Preset("p", (Rendition("tiny", 8), grown, larger, kept)))
    assert (alone["grown"] - among["grown"]).abs().max() == 0
    assert (noise - among["kept"]).abs().max() == 0


@pytest.mark.parametrize(("suffix", "options"), [(".jpg", {}), (".png", {}), (".webp", {}), (".tif", {}), (".gif", {})])
@pytest.mark.parametrize("largest_px", [(20, 15), (64, 48)])
def test_a_decoder_that_gives_another_size_than_the_header_said_is_a_fault_of_ours(
    tmp_path, suffix, options, largest_px
):
    (tmp_path / "source").write_bytes(encoded(quadrants(128, 96), suffix, **options))
    with probe(tmp_path / "source", Limits()) as found, pytest.raises(UnexpectedSize):
        decode(replace(found, width_px=96, height_px=128), largest_px, Limits())


# --- squares --------------------------------------------------------------------------------------

STRIPES = flat(255, 0, 0, size_px=(180, 60)).insert(flat(0, 0, 255, size_px=(60, 60)), 60, 0)
SUBJECT = flat(90, 90, 90, size_px=(300, 100)).insert(flat(250, 120, 30, size_px=(40, 40)), 250, 30)


@pytest.mark.parametrize(
    ("focus", "left", "right"),
    [
        (None, (0, 0, 255), (0, 0, 255)),
        (Focus(0, 0.5), (255, 0, 0), (255, 0, 0)),
        (Focus(2 / 3, 0.5), (0, 0, 255), (255, 0, 0)),
    ],
)
def test_a_square_is_cut_around_the_focus_or_from_the_middle(make, focus, left, right):
    _, files = make(encoded(STRIPES), one(side_px=60, fit=Fit.COVER), Overrides(focus=focus))
    assert near(at(files["only"], 0.1, 0.5), left)
    assert near(at(files["only"], 0.9, 0.5), right)


def test_attention_finds_what_stands_out_and_a_focus_goes_before_it(make):
    preset = one(side_px=50, fit=Fit.COVER, crop=Crop.ATTENTION)
    _, found = make(encoded(SUBJECT), preset)
    _, focused = make(encoded(SUBJECT), preset, Overrides(focus=Focus(0, 0)))
    assert (found["only"].width, found["only"].height) == (50, 50)
    assert found["only"].extract_band(2).min() < 40
    assert focused["only"].extract_band(2).min() == 90


# --- the right way up -----------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(make, orientation):
    rendered, files = make(jpeg(64, 40, orientation=orientation))
    assert (rendered.width_px, rendered.height_px, rendered.orientation) == (64, 40, orientation)
    assert (files["large"].width, files["large"].height) == (64, 40)
    assert all(is_upright(file) for file in files.values())


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("orientation", [1, 5, 6])
def test_a_person_may_turn_it_further(make, rotation, orientation):
    rendered, files = make(jpeg(64, 40, orientation=orientation), overrides=Overrides(rotation=rotation))
    wanted = (64, 40) if rotation == 180 else (40, 64)
    assert (rendered.width_px, rendered.height_px) == (files["large"].width, files["large"].height) == wanted
    assert is_upright(files["large"].rot(f"d{360 - rotation}"))


def test_the_focus_is_where_the_person_sees_it_after_the_rotation(make):
    overrides = Overrides(rotation=90, focus=Focus(0.5, 0))
    _, files = make(
        encoded(STRIPES.insert(flat(0, 255, 0, size_px=(60, 60)), 0, 0)), one(side_px=60, fit=Fit.COVER), overrides
    )
    assert near(at(files["only"], 0.5, 0.5), (0, 255, 0))


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_impossible_orientation_is_none(make, orientation):
    rendered, files = make(with_facts(jpeg(), Facts(orientation=orientation)))
    assert rendered.orientation == 1
    assert is_upright(files["large"])


# --- what it is encoded in ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "asked", "made"),
    [
        (".jpg", Format.SOURCE, Format.JPEG),
        (".png", Format.SOURCE, Format.PNG),
        (".webp", Format.SOURCE, Format.WEBP),
        (".avif", Format.SOURCE, Format.AVIF),
        (".tif", Format.SOURCE, Format.JPEG),
        (".gif", Format.SOURCE, Format.JPEG),
        (".png", Format.AUTO, Format.JPEG),
        (".png", Format.AVIF, Format.AVIF),
    ],
)
def test_the_format_is_the_one_that_was_asked_for(make, suffix, asked, made):
    rendered, _ = make(encoded(quadrants(), suffix), one(format=asked))
    (output,) = rendered.outputs
    assert (output.format, output.file) == (made, f"only.{made.extension}")


@pytest.mark.parametrize(("alpha", "made"), [(128, Format.WEBP), (254, Format.WEBP), (255, Format.JPEG)])
def test_auto_keeps_transparency_only_where_there_is_any(make, alpha, made):
    rendered, _ = make(encoded(flat(200, 100, 50, alpha)), one(format=Format.AUTO))
    assert rendered.outputs[0].format is made


def test_grey_stays_grey(make):
    _, files = make(encoded(flat(90, size_px=(300, 200)), ".jpg"))
    assert {file.interpretation for file in files.values()} == {"b-w"}


def test_a_wide_gamut_is_converted_once_and_its_profile_dropped(make):
    p3 = profiles.rgb(profiles.DISPLAY_P3)
    _, files = make(encoded(tagged(flat(234, 51, 35, size_px=(90, 60)), p3), ".jpg", Q=98, subsample_mode="off"))
    for file in files.values():
        assert near(at(file, 0.5, 0.5), (255, 0, 0), 6)
        assert not file.get_typeof("icc-profile-data")


def test_transparent_pixels_do_not_bleed_into_their_neighbours(make):
    half_red = flat(0, 255, 0, 0, size_px=(200, 200)).insert(flat(255, 0, 0, 255, size_px=(101, 200)), 0, 0)
    _, files = make(encoded(half_red), one(side_px=50, format=Format.JPEG, quality=100))
    red, green, blue = files["only"].bandsplit()
    assert (green - (red > blue).ifthenelse(red, blue)).max() < 12


def test_the_placeholder_is_of_the_whole_picture(make):
    rendered, _ = make(encoded(STRIPES), one(side_px=60, fit=Fit.COVER))
    assert rendered.placeholder.colour == "#ff0000"  # not the blue of the square


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".tif"])
def test_half_a_file_is_refused_and_leaves_nothing(tmp_path, suffix):
    data = encoded((quadrants(200, 200) + pyvips.Image.gaussnoise(200, 200, sigma=30, seed=1)).cast("uchar"), suffix)
    source, into = tmp_path / "source", tmp_path / "into"
    source.write_bytes(data[: len(data) // 2])
    into.mkdir()
    with pytest.raises(errors.ImageRefused):
        render(Request(str(source), str(into), "0" * 64, SIZES))
    assert list(into.iterdir()) == []


# --- the same bytes again -------------------------------------------------------------------------


def test_the_same_source_gives_the_same_bytes(make):
    data = jpeg(120, 80)
    assert make(data, INGEST)[0] == make(data, INGEST)[0]


def test_everything_that_decides_the_bytes_is_in_the_digest(make):
    plain = jpeg(64, 48)
    variants = [
        make(plain, GALLFORMERS.only(["thumb"])),
        make(with_facts(plain, Facts(creator="Ada")), GALLFORMERS.only(["thumb"])),
        make(plain, GALLFORMERS.only(["thumb"]), Overrides(rotation=90)),
        make(plain, GALLFORMERS.only(["thumb"]), Overrides(focus=Focus(0, 0))),
        make(plain, Preset("p", (replace(GALLFORMERS.renditions[3], quality=83),))),
    ]
    assert len({rendered.outputs[0].digest for rendered, _ in variants}) == len(variants)
