"""A live site: a folder with what it has made, which this service only reads."""

from pathlib import Path
from typing import Any

import pytest

from tests import images
from tests.services.cutover.making import Site

KEY = "gall/12/12_1700000000_original.jpg"


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Site:
    folder = tmp_path / "site"
    folder.mkdir()
    settings.LEGACY_FOLDER = str(folder)
    return Site(folder)


@pytest.fixture
def photo() -> bytes:
    return images.jpeg(640, 480)
