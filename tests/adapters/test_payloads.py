"""A program that is hidden in a picture does not get into its derivatives, wherever it hides."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL.PngImagePlugin import PngInfo

from media_jobs.pipeline.formats.exif_writer import Facts
from media_jobs.pipeline.recipes import Format, Preset, Rendition
from tests import images
from tests.adapters.decoder import Ask

PROGRAM = "<?php system($_GET['cmd']); ?>"
BEHIND = PROGRAM.encode() * 3
ENCODED = (Format.JPEG, Format.WEBP, Format.PNG, Format.AVIF)
EVERY_FORMAT = Preset("formats", tuple(Rendition(word.value, 40, format=word, effort=0) for word in ENCODED))


def noted_png() -> bytes:
    notes = PngInfo()
    notes.add_text("Comment", PROGRAM)
    notes.add_itxt("XML:com.adobe.xmp", PROGRAM)
    return images.png(64, 48, pnginfo=notes)


HIDDEN = {
    "behind a jpeg": images.jpeg(64, 48) + BEHIND,
    "behind a png": images.png(64, 48) + BEHIND,
    "behind a webp": images.webp(64, 48) + BEHIND,
    "behind a gif": images.gif(64, 48) + BEHIND,
    "behind an avif": images.avif() + BEHIND,
    "behind a bmp": images.bmp() + BEHIND,
    "in a jpeg's comment": images.jpeg(64, 48, comment=PROGRAM),
    "in a gif's comment": images.encoded(images.quadrants(64, 48).quantize(8), "GIF", comment=PROGRAM.encode()),
    "in a png's texts": noted_png(),
    "in a tiff's description": images.tiff(64, 48, description=PROGRAM),
    "in the camera's name": images.jpeg(64, 48, facts=replace(images.CAMERA, model=PROGRAM)),
    "in the creator's name": images.jpeg(64, 48, facts=Facts(creator=PROGRAM.replace("<", "&lt;"))),
    "in the artist's name": images.tiff(64, 48, tiffinfo={315: PROGRAM, 33432: PROGRAM}),
}


@pytest.mark.parametrize("data", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_hidden_program_does_not_survive(data: bytes, ask: Ask, tmp_path: Path) -> None:
    rendered = ask(data, EVERY_FORMAT)
    survivors = [output.file for output in rendered.outputs if b"<?php" in (tmp_path / output.file).read_bytes()]
    assert survivors == []
