"""What is read from a picture, what is kept, and that nothing of it is in what comes out."""

import json
import shutil
import struct
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from media_jobs.pipeline.privacy.facts import metadata, read
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.recipes import GALLFORMERS, INGEST, Preset
from media_jobs.pipeline.render import render
from media_jobs.pipeline.values import Keep, Limits, Request
from tests import images

KEEP = Keep()
BOTH = Preset("both", GALLFORMERS.renditions + INGEST.renditions)


def facts_of(data: bytes, tmp_path: Path, keep: Keep = KEEP) -> dict[str, Any]:
    source = tmp_path / "source"
    source.write_bytes(data)
    found = probe(source, Limits())
    facts = metadata(read(found), found, keep)
    json.dumps(facts)
    return facts


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG up to its pixels."""
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        found.append(jpeg[at + 1])
        at += 2 + int(struct.unpack_from(">H", jpeg, at + 2)[0])
    return found


def chunks(webp: bytes) -> list[bytes]:
    found, at = [], 12
    while at < len(webp):
        found.append(webp[at : at + 4])
        size = int.from_bytes(webp[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return found


SOURCES = {
    "jpeg": images.jpeg(800, 600, orientation=6, facts=images.CAMERA, thumbnail=True),
    "png": images.png(800, 600, exif=images.exif(images.CAMERA)),
    "webp": images.webp(800, 600, exif=images.exif(images.CAMERA)),
}


@pytest.mark.parametrize("format", SOURCES)
def test_date_and_camera_are_read_and_position_and_serial_are_not(format: str, tmp_path: Path) -> None:
    assert facts_of(SOURCES[format], tmp_path) == {
        "orientation": 6 if format == "jpeg" else 1,
        "captureDate": "2024-05-01T12:30:00+02:00",
        "cameraMake": "Gallmann",
        "cameraModel": "Pocket G1",
    }


def test_what_is_not_to_be_kept_is_not_even_read(tmp_path: Path) -> None:
    facts = facts_of(SOURCES["jpeg"], tmp_path, Keep(timestamps=False, camera_info=False))
    assert facts == {"orientation": 6}


def test_a_date_without_offset_stays_local(tmp_path: Path) -> None:
    taken = replace(images.CAMERA, taken=datetime(2020, 2, 29, 23, 59, 58))  # noqa: DTZ001  (that is the point)
    assert facts_of(images.jpeg(facts=taken), tmp_path)["captureDate"] == "2020-02-29T23:59:58"


def test_control_characters_and_endless_names_do_not_get_through(tmp_path: Path) -> None:
    wild = replace(images.CAMERA, make="Evil\x1b[31m\r\nCorp\u202e", model="M" * 5000)
    facts = facts_of(images.jpeg(facts=wild), tmp_path)
    assert facts["cameraMake"] == "Evil [31m Corp"
    assert facts["cameraModel"] == "M" * 100


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_damaged_exif_costs_facts_not_the_picture(share: float, tmp_path: Path) -> None:
    block = images.exif(images.CAMERA)
    data = images.webp(64, 48, exif=images.cut(block, share))
    assert facts_of(data, tmp_path)["orientation"] == 1


@pytest.mark.parametrize("format", SOURCES)
def test_a_derivative_has_pixels_and_nothing_else(format: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(SOURCES[format])
    rendered = render(Request(str(source), str(tmp_path), "0" * 64, BOTH), lambda done, of: None)
    for output in rendered.outputs:
        data = (tmp_path / output.file).read_bytes()
        assert not [secret for secret in images.SECRETS if secret in data]
        if output.content_type == "image/jpeg":
            assert data.count(b"\xff\xd8\xff") == 1  # no second picture in it
            assert not [m for m in segments(data) if 0xE1 <= m <= 0xEF or m == 0xFE]
        else:
            assert set(chunks(data)) <= {b"VP8 ", b"VP8L"}


@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool: apt-get install libimage-exiftool-perl")
def test_exiftool_finds_the_secrets_in_the_source_and_none_in_a_derivative(tmp_path: Path) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(SOURCES["jpeg"])
    rendered = render(Request(str(source), str(tmp_path), "0" * 64, BOTH), lambda done, of: None)
    before = exiftool(source)
    assert {"GPS:GPSLatitude", "ExifIFD:SerialNumber", "IFD1:ThumbnailImage", "XMP-dc:Creator"} <= set(before)
    for output in rendered.outputs:
        after = exiftool(tmp_path / output.file)
        assert {tag.split(":")[0] for tag in after} <= {"File", "JFIF", "RIFF", "Composite", "ExifTool"}


def exiftool(path: Path) -> dict[str, Any]:
    told = subprocess.run(
        ["exiftool", "-json", "-G1", "-a", "-x", "System:all", str(path)], capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(told.stdout)[0]
    del found["SourceFile"]
    return found
