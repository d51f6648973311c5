"""Over HTTP: whose a picture is, how it was made and when, from the upload to the API and into the files."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from media_jobs.pipeline.formats import png
from tests import images
from tests.e2e.service import Service
from tests.formats import facts
from tests.services.test_render_odd_files import photo

pytestmark = pytest.mark.e2e

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def uploaded(service: Service, content: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The image as the API has it once its job is done, and its derivatives."""
    job = service.upload(content)
    assert job["status"] == "done", job
    image = httpx.get(f"{service.url}/v1/images/{job['imageId']}").json()
    return image, [httpx.get(derivative["url"]).content for derivative in job["derivatives"]]


def test_a_picture_made_by_ai_says_so_everywhere(service: Service, tmp_path: Path) -> None:
    packet = facts.xmp("", f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{AI}"/>')
    image, derivatives = uploaded(service, photo(xmp=packet))
    assert image["rights"] == {"digitalSourceType": AI}
    assert image["privacy"]["kept"] == ["XMP Iptc4xmpExt:DigitalSourceType"]
    assert set(map(tuple, image["privacy"]["outputs"].values())) == {("XMP Iptc4xmpExt:DigitalSourceType",)}
    for number, derivative in enumerate(derivatives):
        assert f">{AI}<".encode() in derivative
        (tmp_path / f"{number}.jpg").write_bytes(derivative)
    if shutil.which("exiftool"):
        answer = subprocess.run(["exiftool", "-json", tmp_path], capture_output=True, check=True).stdout
        assert [file["DigitalSourceType"] for file in json.loads(answer)] == [AI] * len(derivatives)


def test_what_odd_files_say_arrives(service: Service) -> None:
    packet = facts.xmp(
        'photoshop:DateCreated="1923"',
        '<photoshop:Credit rdf:parseType="Resource"><rdf:value>Salt & Pepper</rdf:value></photoshop:Credit>',
    )
    image, _ = uploaded(service, photo(xmp=packet, exif=facts.exif({0x9C9D: "حسین\u200cزاده".encode("utf-16-le")})))
    assert image["rights"] == {"creator": "حسین\u200cزاده", "credit": "Salt & Pepper"}
    assert image["metadata"]["captureDate"] == "1923"


def test_a_png_stands_upright_by_exif_behind_its_pixels(service: Service) -> None:
    whole = images.encoded(images.quadrants(64, 48, orientation=6), "PNG")
    behind = png.chunk(b"eXIf", facts.exif({0x0112: 6}))
    image, _ = uploaded(service, whole[:-12] + behind + whole[-12:])
    assert (image["width"], image["height"], image["metadata"]["orientation"]) == (64, 48, 6)
