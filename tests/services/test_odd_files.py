"""`manage.py render` of odd files, one of each kind."""

from pathlib import Path

import pytest
from PIL import Image

from tests.odd import Corners, middles
from tests.odd.table import KINDS, odd_files
from tests.services.test_render_command import render

ODD = odd_files()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.slow
def test_an_odd_file_is_rendered_right_or_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(ODD[name].data)
    report = render(tmp_path / "source", tmp_path / "out", "--json").json
    size_px: tuple[int, int] = (0, 0)
    corners: Corners = ()
    if report["status"] == "done":
        size_px = (report["width"], report["height"])
        with Image.open(tmp_path / "out" / "full.jpg") as picture:
            assert picture.size == size_px
            corners = middles(picture)
    assert not ODD[name].complaint(report.get("code", ""), report.get("detail", ""), size_px, corners, tolerance=10)
