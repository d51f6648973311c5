"""Odd files over HTTP, one of each kind."""

import io

import httpx
import pytest
from PIL import Image

from tests.e2e.client import process
from tests.odd import Corners, middles
from tests.odd.table import KINDS, odd_files

pytestmark = pytest.mark.e2e

ODD = odd_files()


@pytest.mark.parametrize("name", KINDS)
def test_an_odd_upload_becomes_the_right_picture_or_fails_with_a_reason(service, name: str):
    job = process(service.url, ODD[name].data)
    size_px: tuple[int, int] = (0, 0)
    corners: Corners = ()
    if job["status"] == "done":
        full = next(derivative for derivative in job["derivatives"] if derivative["name"] == "full")
        with Image.open(io.BytesIO(httpx.get(full["url"]).content)) as picture:
            size_px, corners = picture.size, middles(picture)
    assert not ODD[name].complaint(job.get("code") or "", job.get("detail") or "", size_px, corners, tolerance=10)
