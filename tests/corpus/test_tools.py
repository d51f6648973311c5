"""The checks of the corpus see what they are there to see."""

import shutil
from pathlib import Path

import pytest

from tests import images
from tests.corpus.carried import beyond_rights, tags_below
from tests.corpus.payloads import windows

PROGRAM = b"<?php system($_GET['cmd']); ?>"


@pytest.mark.corpus
@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool: apt install libimage-exiftool-perl")
def test_a_photo_of_a_camera_is_seen_to_carry_more_than_rights(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(images.jpeg(facts=images.CAMERA))
    (tmp_path / "print.png").write_bytes(images.png(dpi=(300, 300)))
    (tmp_path / "plain.webp").write_bytes(images.webp())
    carried = {path.name: beyond_rights(tags) for path, tags in tags_below(tmp_path).items()}
    assert {"GPS:GPSLatitude", "IFD0:Make", "ExifIFD:SerialNumber"} <= carried["photo.jpg"].keys()
    assert "IFD0:Artist" not in carried["photo.jpg"]
    assert "PNG-pHYs:PixelsPerUnitX" in carried["print.png"]
    assert carried["plain.webp"] == {}


@pytest.mark.parametrize(
    "picture",
    [images.jpeg(64, 48), images.jpeg(64, 48, progressive=True, thumbnail=True), images.png(64, 48), images.webp()],
)
def test_bytes_behind_a_picture_are_found(picture: bytes) -> None:
    assert windows(picture) == []
    found = windows(picture + PROGRAM * 3)
    assert len(found) == 3
    assert all(window in PROGRAM * 4 for window in found)
