"""What is hidden in a picture, a program or a secret, does not get into its derivatives, wherever it hides."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PIL.PngImagePlugin import PngInfo

from media_jobs.demo.exif_writer import Facts
from media_jobs.pipeline.recipes import Format, Preset, Rendition
from tests import images
from tests.adapters.decoder.running import Ask

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


# --- secrets ---------------------------------------------------------------------------------------

CREATOR = "Ada Photographer"
TELLING = {
    "jpeg": images.jpeg(320, 240, orientation=6, facts=images.CAMERA, thumbnail=True),
    "png": images.png(320, 240, exif=images.exif(images.CAMERA)),
    "webp": images.webp(320, 240, exif=images.exif(images.CAMERA)),
    "png, alpha": images.see_through_png((10, 20, 30, 128)),
    "jpeg, grey": images.encoded(images.quadrants(64, 48).convert("L"), "JPEG"),
}


@pytest.mark.parametrize("kind", TELLING)
def test_a_derivative_carries_pixels_and_rights_and_nothing_else(kind: str, ask: Ask, tmp_path: Path) -> None:
    rendered = ask(TELLING[kind], EVERY_FORMAT)
    carried = {"XMP dc:creator", "EXIF Artist"} if rendered.rights.creator else set()
    for output in rendered.outputs:
        data = (tmp_path / output.file).read_bytes()
        assert [secret for secret in images.SECRETS if secret in data] == []
        assert set(rendered.receipt.outputs[output.name]) == (
            carried if output.format != "avif" else carried - {"EXIF Artist"}
        )
    receipt = json.dumps(rendered.to_json()["receipt"])
    assert [secret for secret in [*images.SECRETS, CREATOR.encode()] if secret.decode() in receipt] == []


@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool: apt-get install libimage-exiftool-perl")
def test_exiftool_finds_the_secrets_in_the_source_and_none_in_a_derivative(ask: Ask, tmp_path: Path) -> None:
    rendered = ask(TELLING["jpeg"], EVERY_FORMAT)
    command = ["exiftool", "-json", "-G1", "-a", "-x", "System:all", str(tmp_path / "source")]
    files = [str(tmp_path / output.file) for output in rendered.outputs]
    before, *after = json.loads(subprocess.run([*command, *files], capture_output=True, check=True).stdout)
    assert {"GPS:GPSLatitude", "ExifIFD:SerialNumber", "IFD1:ThumbnailImage", "XMP-dc:Creator"} <= set(before)
    structure = {"SourceFile", "File", "RIFF", "PNG", "PNG-pHYs", "QuickTime", "Meta", "Composite", "ExifTool"}
    for tags in after:
        beyond = {tag for tag in tags if tag.split(":")[0] not in structure}
        assert {"XMP-dc:Creator"} <= beyond <= {"XMP-dc:Creator", "IFD0:Artist"}
