"""What comes out has the colours that Chromium shows of what went in."""

import base64
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests import images
from tests.e2e.service import Service
from tests.formats import colours
from tests.formats.colours import PNGS, chrm, cicp, gama, png
from tests.formats.decoded import decoded

pytestmark = pytest.mark.browser

Colour = tuple[int, ...]
#: A file as data → its pixels on a canvas, which is sRGB.
READ = """async file => {
  const image = new Image();
  image.src = "data:;base64," + file;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
}"""


@pytest.fixture(scope="module")
def canvas(chromium: Browser) -> Iterator[Callable[[bytes], list[Colour]]]:
    page = chromium.new_page()

    def read(file: bytes) -> list[Colour]:
        values: list[int] = page.evaluate(READ, base64.b64encode(file).decode())
        return [tuple(values[at : at + 4]) for at in range(0, len(values), 4)]

    yield read
    page.close()


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(round(a) - b) for a, b in zip(one, other, strict=False))


def test_the_figures_of_the_unit_tests_are_what_chromium_shows(canvas: Callable[[bytes], list[Colour]]) -> None:
    wrong = {}
    for name, (file, wanted) in PNGS.items():
        shown = canvas(file)
        if any(distance(pixel, colour) > 1 for pixel, colour in zip(shown, wanted, strict=True)):
            wrong[name] = (shown, wanted)
    assert not wrong


#: The ways in which a flat PNG may tell its colours.
WAYS: dict[str, tuple[colours.Chunk, ...]] = {
    "nothing": (),
    "Display P3": (cicp(12, 13),),
    "BT.2020": (cicp(9, 14),),
    "linear": (gama(1),),
    "Adobe RGB": (gama(0.45455), chrm(colours.ADOBE_RGB)),
    "sRGB first": (gama(1), chrm(colours.ADOBE_RGB), colours.INTENT),
}
DRAWN: tuple[Colour, ...] = ((220, 30, 30), (30, 200, 40), (30, 60, 220), (230, 210, 40), (20, 20, 20), (128, 90, 60))


def test_flat_pictures_of_many_colours_are_decoded_as_chromium_shows_them(
    canvas: Callable[[bytes], list[Colour]], tmp_path: Path
) -> None:
    files = {
        f"{way}-{index}": png([colour] * 8, *chunks, height_px=8)
        for way, chunks in WAYS.items()
        for index, colour in enumerate(DRAWN)
    }
    found = decoded(files, tmp_path / "files")
    wrong = {
        name: (found[name].corners[0], canvas(file)[0])
        for name, file in files.items()
        if distance(found[name].corners[0], canvas(file)[0]) > 3
    }
    assert not wrong


@pytest.mark.parametrize("way", ["Display P3", "linear", "Adobe RGB"])
def test_a_derivative_looks_like_the_uploaded_file(
    way: str, canvas: Callable[[bytes], list[Colour]], service: Service
) -> None:
    file = png([DRAWN[0]] * 64, *WAYS[way], height_px=64)
    job = service.upload(file)
    assert job["status"] == "done"
    derivative = httpx.get(next(d["url"] for d in job["derivatives"] if d["name"] == "full")).content
    with Image.open(BytesIO(derivative)) as picture:
        assert "icc_profile" not in picture.info
    shown, wanted = canvas(derivative)[64 * 32 + 32], canvas(file)[0]
    assert distance(shown, wanted) <= 3, (shown, wanted)
    assert distance(wanted, DRAWN[0]) > 10  # else it would prove nothing


def test_adobe_rgb_by_exif_differs_from_chromium_which_does_not_look(
    canvas: Callable[[bytes], list[Colour]], tmp_path: Path
) -> None:
    """docs/formats.md says so; when Chromium looks one day, this fails, and the page is changed."""
    file = colours.with_exif(images.flat_jpeg((220, 30, 30)), colours.interoperability("R03"))
    assert distance(canvas(file)[0], (220, 30, 30)) <= 2
    assert decoded({"file": file}, tmp_path / "files")["file"].shows(*[(255, 24, 24)] * 4, tolerance=3)
