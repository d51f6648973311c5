"""Colours come out as they were meant, whatever the file says them in."""

import subprocess
import sys
from itertools import product

import pytest
import pyvips

from media_jobs.pipeline.colour import is_srgb, to_srgb, without_idle_alpha
from tests.formats import profiles
from tests.formats.pictures import at, encoded, flat, near, opened, tagged

P3 = profiles.rgb(profiles.DISPLAY_P3)
WIDE = {
    "p3": P3,
    "adobe": profiles.rgb(profiles.ADOBE_RGB, gamma=563 / 256),
    "prophoto": profiles.rgb(profiles.PROPHOTO, gamma=1.8),
}
LEVELS = range(0, 256, 17)
BY_LCMS = """
import io, sys
from PIL import Image, ImageCms
folder = sys.argv[1]
for name in sys.argv[2:]:
    samples = Image.open(f"{folder}/{name}.png")
    profile = ImageCms.ImageCmsProfile(io.BytesIO(samples.info["icc_profile"]))
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    converted = ImageCms.profileToProfile(samples, profile, ImageCms.createProfile("sRGB"), intent, flags=flags)
    converted.save(f"{folder}/{name}.lcms.png", icc_profile=None)
"""


def converted(*colour: float, profile: bytes = b"", format: str = "uchar", kind: str = "") -> tuple[float, ...]:
    picture = flat(*colour, format=format, kind=kind)
    return at(to_srgb(tagged(picture, profile) if profile else picture), 0.5, 0.5)


def distance(one: pyvips.Image, other: pyvips.Image) -> float:
    """Mean ΔE2000."""
    return float(one.colourspace("lab").dE00(other.colourspace("lab")).avg())


@pytest.fixture(scope="module")
def by_lcms(tmp_path_factory):
    """4,096 colours in each wide space, and what Pillow's own lcms makes of them, in a process of its own."""
    folder = tmp_path_factory.mktemp("wide")
    samples = pyvips.Image.new_from_memory(
        bytes(v for rgb in product(LEVELS, repeat=3) for v in rgb), 64, 64, 3, "uchar"
    )
    for name, profile in WIDE.items():
        (folder / f"{name}.png").write_bytes(encoded(tagged(samples.copy(interpretation="srgb"), profile), keep="icc"))
    subprocess.run([sys.executable, "-c", BY_LCMS, folder, *WIDE], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("name", WIDE)
def test_wide_gamuts_end_as_another_colour_engine_says(by_lcms, name):
    stored = opened((by_lcms / f"{name}.png").read_bytes())
    reference = opened((by_lcms / f"{name}.lcms.png").read_bytes()).extract_band(0, n=3)
    assert distance(to_srgb(stored), reference) < 0.2
    assert distance(stored, reference) > 1  # the profile matters


@pytest.mark.parametrize("name", WIDE)
def test_sixteen_bits_of_a_wide_gamut_end_as_eight_do(name):
    for colour in ((200, 100, 50), (20, 130, 90), (128, 128, 128)):
        deep = converted(*(257 * level for level in colour), profile=WIDE[name], format="ushort", kind="rgb16")
        assert near(deep, converted(*colour, profile=WIDE[name]), 2)


def test_alpha_is_no_colour():
    assert converted(234, 51, 35, 77, profile=P3) == (255, 0, 0, 77)
    assert converted(234 * 257, 51 * 257, 35 * 257, 20_000, format="ushort", kind="rgb16")[3] == pytest.approx(
        78, abs=1
    )


@pytest.mark.parametrize(
    ("profile", "same"),
    [
        (profiles.rgb(profiles.SRGB, name="anything"), True),
        (profiles.rgb(profiles.ADOBE_RGB, gamma=2.2, name="sRGB IEC61966-2.1"), False),
        (profiles.rgb(profiles.SRGB, gamma=1.0, name="sRGB"), False),
        (P3, False),
        (profiles.grey(2.2), False),
        (b"", False),
    ],
    ids=["srgb", "liar", "linear", "p3", "grey", "empty"],
)
def test_a_profile_is_srgb_by_what_it_does_not_by_its_name(profile, same):
    assert is_srgb(profile) == same


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 4000, b"\0" * 16 + b"RGB XYZ " + b"\xff" * 500])
def test_a_broken_profile_does_not_fail_the_picture(profile):
    assert converted(200, 100, 50, profile=profile) == (200, 100, 50)


def test_a_profile_of_another_kind_of_picture_is_ignored():
    assert converted(200, 100, 50, profile=profiles.grey(1.8)) == (200, 100, 50)
    assert converted(90, profile=P3) == (90,)


@pytest.mark.parametrize(("gamma", "wanted"), [(1.0, 188), (1.8, 147), (2.2, 128)])
def test_grey_stays_grey_and_its_tone_right(gamma, wanted):
    assert near(converted(128, profile=profiles.grey(gamma)), (wanted,), 1)
    assert near(converted(128 * 257, profile=profiles.grey(gamma), format="ushort", kind="grey16"), (wanted,), 1)
    assert near(converted(128, 77, profile=profiles.grey(gamma)), (wanted, 77), 1)


@pytest.mark.parametrize(
    ("ink", "wanted"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 255, 255, 0), (227, 6, 19)),  # these as the usual offset profile, Coated FOGRA39, has them
        ((255, 0, 0, 0), (0, 158, 227)),
        ((255, 255, 255, 255), (0, 0, 10)),
    ],
)
@pytest.mark.parametrize("profile", [b"", P3], ids=["without", "with a wrong profile"])
def test_ink_becomes_light(ink, wanted, profile):
    assert near(converted(*ink, kind="cmyk", profile=profile), wanted, 15)


def test_an_inverted_jpeg_of_inks_is_the_right_way_round():
    red = opened(encoded(flat(0, 255, 255, 0, kind="cmyk"), ".jpg", Q=95))
    assert red.interpretation == "cmyk"
    assert near(at(to_srgb(red), 0.5, 0.5), (227, 6, 19), 15)


@pytest.mark.parametrize(
    ("colour", "format", "kind", "wanted"),
    [
        ((0x8000,), "ushort", "grey16", (128,)),
        ((53.24, 80.09, 67.2), "float", "lab", (255, 0, 0)),
        ((0.5, 0.1, 2.0), "float", "scrgb", (188, 89, 255)),
        ((0.5,), "float", "b-w", (188,)),
        ((0.5, 0.25), "float", "b-w", (188, 64)),
        ((2**31, 2**30, 0), "uint", "srgb", (128, 64, 0)),
        ((1, 2, 3, 4, 5), "uchar", "multiband", (1, 2, 3, 4)),
        ((100, 200), "uchar", "multiband", (100, 200)),
    ],
)
def test_every_way_to_store_a_sample_is_understood(colour, format, kind, wanted):
    assert near(converted(*colour, format=format, kind=kind), wanted, 1)


def test_what_is_srgb_already_is_not_touched():
    picture = flat(1, 2, 3).copy_memory()
    assert to_srgb(picture) is picture


def test_alpha_that_hides_nothing_goes():
    assert without_idle_alpha(flat(1, 2, 3, 255)).bands == 3
    assert without_idle_alpha(flat(9, 255)).bands == 1
    assert without_idle_alpha(flat(1, 2, 3, 255).insert(flat(1, 2, 3, 254, size_px=(1, 1)), 5, 5)).bands == 4
