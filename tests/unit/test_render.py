"""What comes out of the pipeline, for every kind of picture that goes in."""

import io
import itertools
from pathlib import Path
from typing import Protocol

import pytest
import pyvips
from PIL import Image

from media_jobs import errors
from media_jobs.pipeline.formats.exif_writer import Facts, with_facts
from media_jobs.pipeline.recipes import GALLFORMERS, INGEST, Fit, Format, Preset, Rendition
from media_jobs.pipeline.render import plan, render
from media_jobs.pipeline.values import Keep, Limits, Rendered, Request
from tests import images

LIMITS = Limits()
KEEP = Keep()
ONE = Preset("one", (Rendition("only", 4096, quality=95),))
ONE_WEBP = Preset("one", (Rendition("only", 4096, format=Format.WEBP, quality=95),))


class Make(Protocol):
    def __call__(
        self, data: bytes, preset: Preset = ..., *, limits: Limits = ..., keep: Keep = ...
    ) -> tuple[Rendered, dict[str, Image.Image]]: ...


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Renders bytes; gives the result and its files, opened by another decoder."""
    number = itertools.count()

    def run(
        data: bytes, preset: Preset = GALLFORMERS, *, limits: Limits = LIMITS, keep: Keep = KEEP
    ) -> tuple[Rendered, dict[str, Image.Image]]:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        (folder / "source").write_bytes(data)
        request = Request(str(folder / "source"), str(folder), "0" * 64, preset, limits, keep)
        rendered = render(request, lambda done, of: None)
        return rendered, {o.name: Image.open(io.BytesIO((folder / o.file).read_bytes())) for o in rendered.outputs}

    return run


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """The middle of each quadrant: top left, top right, bottom left, bottom right."""
    width, height = picture.size
    rgb = picture.convert("RGB")
    return [rgb.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]  # type: ignore[misc]


def near(found: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def is_upright(picture: Image.Image) -> bool:
    return all(near(a, b, 25) for a, b in zip(corners(picture), images.CORNERS, strict=True))


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (images.jpeg(3000, 2000), "jpeg"),
        (images.jpeg(3000, 2000, progressive=True), "jpeg"),
        (images.png(3000, 2000), "png"),
        (images.webp(3000, 2000), "webp"),
        (images.webp(3000, 2000, lossless=True), "webp"),
        (images.gif(3000, 2000, frames=3), "gif"),
        (images.tiff(3000, 2000, compression="tiff_lzw"), "tiff"),
        (images.tiff(3000, 2000, big_tiff=True), "tiff"),
    ],
)
def test_every_format_becomes_every_rendition(make: Make, data: bytes, format: str) -> None:
    rendered, files = make(data)
    assert (rendered.format, rendered.width_px, rendered.height_px) == (format, 3000, 2000)
    sizes = {name: file.size for name, file in files.items()}
    assert sizes == {"full": (2048, 1365), "medium": (1024, 683), "small": (512, 341), "thumb": (200, 200)}
    assert {(o.width_px, o.height_px) for o in rendered.outputs} == set(sizes.values())
    assert all(is_upright(file) for file in files.values())


def test_outputs_come_in_the_order_of_the_preset_and_say_what_they_are(make: Make, tmp_path: Path) -> None:
    rendered, _ = make(images.jpeg(2500, 2500), INGEST)
    assert [o.name for o in rendered.outputs] == [r.name for r in INGEST.renditions]
    assert [o.content_type for o in rendered.outputs] == ["image/webp", "image/jpeg"] * 2
    for output in rendered.outputs:
        assert (tmp_path / "0" / output.file).stat().st_size == output.size_bytes


@pytest.mark.parametrize("size_px", [(100, 80), (150, 150), (1, 1), (3, 500)])
def test_nothing_is_ever_enlarged(make: Make, size_px: tuple[int, int]) -> None:
    rendered, _ = make(images.png(*size_px))
    for output in rendered.outputs:
        square = min(*size_px, 200)
        wanted = (square, square) if output.name == "thumb" else size_px
        if max(size_px) <= 512 or output.name == "thumb":
            assert (output.width_px, output.height_px) == wanted


@pytest.mark.parametrize("size_px", [(4001, 3001), (5000, 37), (41, 4999), (3333, 2222), (2049, 2047)])
def test_the_aspect_holds_within_a_pixel(make: Make, size_px: tuple[int, int]) -> None:
    rendered, _ = make(images.jpeg(*size_px))
    for output in rendered.outputs:
        if output.name != "thumb":
            scale = max(output.width_px, output.height_px) / max(size_px)
            assert abs(size_px[0] * scale - output.width_px) < 1
            assert abs(size_px[1] * scale - output.height_px) < 1


def test_a_square_is_cut_from_the_centre(make: Make) -> None:
    wide = Image.new("RGB", (900, 300), (255, 0, 0))
    wide.paste((0, 0, 255), (300, 0, 600, 300))
    _, files = make(images.encoded(wide, "PNG"))
    for point in ((4, 4), (195, 4), (4, 195), (195, 195)):
        assert near(files["thumb"].getpixel(point), (0, 0, 255), 40)  # type: ignore[arg-type]


def test_a_large_square_of_a_panorama_is_planned_before_smaller_sizes() -> None:
    preset = Preset("p", (Rendition("small", 300), Rendition("square", 400, Fit.COVER)))
    steps = plan((4000, 500), preset)
    assert [(s.rendition.name, s.size_px, s.square_px) for s in steps] == [
        ("square", (3200, 400), 400),
        ("small", (300, 38), None),
    ]


# --- the right way up -----------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(make: Make, orientation: int) -> None:
    rendered, files = make(images.jpeg(640, 400, orientation=orientation))
    assert (rendered.width_px, rendered.height_px, rendered.orientation) == (640, 400, orientation)
    assert files["full"].size == (640, 400)
    assert files["thumb"].size == (200, 200)
    assert all(is_upright(file) for file in files.values())


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_orientation_counts_in_every_format_that_has_it(make: Make, format: str) -> None:
    stored = images.quadrants(640, 400, orientation=6)
    exif = Image.Exif()
    exif[0x0112] = 6
    rendered, files = make(images.encoded(stored, format, exif=exif))
    assert (rendered.width_px, rendered.height_px, rendered.orientation) == (640, 400, 6)
    assert is_upright(files["full"])


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_impossible_orientation_is_none(make: Make, orientation: int) -> None:
    data = with_facts(images.jpeg(64, 48), Facts(orientation=orientation))
    rendered, files = make(data)
    assert rendered.orientation == 1
    assert is_upright(files["full"])


# --- colour ---------------------------------------------------------------------------------------


def test_display_p3_is_converted_and_its_profile_dropped(make: Make) -> None:
    p3 = pyvips.Operation.call("profile_load", "p3")
    _, files = make(images.flat_jpeg((234, 51, 35), profile=bytes(p3)), ONE)
    assert near(files["only"].getpixel((30, 30)), (255, 0, 0), 4)  # type: ignore[arg-type]
    assert "icc_profile" not in files["only"].info


def test_an_srgb_profile_changes_nothing(make: Make) -> None:
    srgb = pyvips.Operation.call("profile_load", "srgb")
    _, files = make(images.flat_jpeg((200, 100, 50), profile=bytes(srgb)), ONE)
    assert near(files["only"].getpixel((30, 30)), (200, 100, 50), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 4000, b"\0" * 16 + b"RGB XYZ " + b"\xff" * 500])
def test_a_broken_profile_does_not_fail_the_picture(make: Make, profile: bytes) -> None:
    _, files = make(images.flat_jpeg((200, 100, 50), profile=profile), ONE)
    assert near(files["only"].getpixel((30, 30)), (200, 100, 50), 3)  # type: ignore[arg-type]


def test_a_profile_of_another_kind_of_picture_is_ignored(make: Make) -> None:
    cmyk = pyvips.Operation.call("profile_load", "cmyk")
    _, files = make(images.flat_jpeg((200, 100, 50), profile=bytes(cmyk)), ONE)
    assert near(files["only"].getpixel((30, 30)), (200, 100, 50), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ink", "wanted"),
    [((0, 0, 0, 0), (255, 255, 255)), ((255, 0, 0, 0), (0, 160, 225)), ((0, 255, 255, 0), (230, 30, 40))],
)
def test_print_colours_become_screen_colours(make: Make, ink: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    _, files = make(images.cmyk_jpeg(ink), ONE)  # type: ignore[arg-type]
    assert files["only"].mode == "RGB"
    assert near(files["only"].getpixel((30, 30)), wanted, 30)  # type: ignore[arg-type]


def test_sixteen_bits_become_eight(make: Make) -> None:
    _, files = make(images.deep_png(0x8000), ONE)
    assert files["only"].mode == "L"
    assert abs(files["only"].getpixel((30, 30)) - 128) <= 2  # type: ignore[operator]


def test_grey_stays_grey(make: Make) -> None:
    _, files = make(images.encoded(Image.new("L", (300, 200), 90), "JPEG"))
    assert {file.mode for file in files.values()} == {"L"}


def test_transparency_is_white_in_jpeg_and_kept_in_webp(make: Make) -> None:
    _, files = make(images.see_through_png((255, 0, 0, 0)), ONE)
    assert near(files["only"].getpixel((30, 30)), (255, 255, 255), 2)  # type: ignore[arg-type]
    _, files = make(images.see_through_png((255, 0, 0, 128)), ONE_WEBP)
    assert files["only"].mode == "RGBA"
    assert abs(files["only"].getpixel((30, 30))[3] - 128) <= 3  # type: ignore[index]


def test_transparent_pixels_do_not_bleed_into_their_neighbours(make: Make) -> None:
    picture = Image.new("RGBA", (800, 800), (0, 255, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 401, 800))
    _, files = make(images.encoded(picture, "PNG"), Preset("s", (Rendition("only", 100, quality=100),)))
    samples = iter(files["only"].convert("RGB").tobytes())
    assert max(green - max(red, blue) for red, green, blue in zip(samples, samples, samples, strict=True)) < 12


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [images.jpeg(), images.jpeg(progressive=True), images.png(), images.webp(), images.gif()]
)
def test_a_file_that_breaks_off_is_refused_as_truncated(make: Make, data: bytes) -> None:
    with pytest.raises(errors.Truncated):
        make(images.cut(data))


def test_a_tiff_that_breaks_off_is_refused(make: Make) -> None:
    with pytest.raises(errors.ImageRefused):
        make(images.cut(images.tiff()))


def test_a_jpeg_cut_in_the_middle_and_closed_again_is_not_half_grey(make: Make) -> None:
    noise = images.encoded(Image.effect_noise((640, 480), 60), "JPEG", quality=90)
    with pytest.raises(errors.ImageRefused):
        make(images.cut(noise) + b"\xff\xd9")


def test_stray_bytes_between_segments_are_tolerated(make: Make) -> None:
    data = images.jpeg()
    at = data.index(b"\xff\xdb")
    _, files = make(data[:at] + bytes(20) + data[at:])
    assert is_upright(files["full"])


@pytest.mark.parametrize("head", [images.jpeg(), images.png(), images.webp(), images.gif(), images.tiff()])
def test_a_right_head_on_wrong_bytes_is_refused(make: Make, head: bytes) -> None:
    with pytest.raises(errors.ImageRefused):
        make(head[:16] + b"\xa5" * 5000)


# --- the same bytes again -------------------------------------------------------------------------


def test_the_same_source_gives_the_same_bytes(make: Make) -> None:
    data = images.jpeg(1500, 1000)
    first, second = make(data, INGEST)[0], make(data, INGEST)[0]
    assert first.outputs == second.outputs


def test_the_digest_covers_source_rendition_and_engine() -> None:
    rendition = Rendition("full", 2048)
    digests = {
        rendition.digest(source_sha256="a", engine="e1"),
        rendition.digest(source_sha256="b", engine="e1"),
        rendition.digest(source_sha256="a", engine="e2"),
        Rendition("full", 2048, quality=83).digest(source_sha256="a", engine="e1"),
    }
    assert len(digests) == 4
