"""Of previews that look whole, the largest that decodes is taken; a file without one is damaged."""

from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.pipeline.render import render
from media_jobs.pipeline.values import Rendered, Request
from tests import images
from tests.formats import raws

LARGE, MIDDLE, SMALL = (images.jpeg(width, width * 3 // 4) for width in (1200, 800, 160))
HALF = LARGE[: len(LARGE) // 2]
SPOILT = LARGE[:5_000] + bytes(4_000) + LARGE[9_000:]
NO_HEADER = LARGE.replace(b"\xff\xdb", b"\xff\xe5")  # without the tables that decoders need


def rendered(data: bytes, folder: Path) -> Rendered:
    (folder / "source").write_bytes(data)
    return render(Request(str(folder / "source"), str(folder), "0" * 64, GALLFORMERS))


@pytest.mark.parametrize("damaged", [HALF, SPOILT, NO_HEADER], ids=["half", "spoilt", "no tables"])
@pytest.mark.parametrize("orientation", [1, 8])
def test_the_largest_that_decodes_is_taken(damaged: bytes, orientation: int, tmp_path: Path) -> None:
    result = rendered(raws.dng(damaged, MIDDLE, SMALL, orientation=orientation), tmp_path)
    assert (result.format, result.orientation) == ("dng", orientation)
    assert (result.width_px, result.height_px) == ((800, 600) if orientation == 1 else (600, 800))
    assert {path.suffix for path in tmp_path.iterdir()} == {"", ".jpg"}


def test_damaged_ones_are_passed_over_until_one_decodes(tmp_path: Path) -> None:
    result = rendered(raws.dng(HALF, NO_HEADER, SPOILT, MIDDLE), tmp_path)
    assert (result.width_px, result.height_px) == (800, 600)


@pytest.mark.parametrize(
    ("damaged", "code"), [(HALF, "truncated"), (SPOILT, "undecodable"), (NO_HEADER, "undecodable")]
)
def test_where_none_decodes_the_largest_says_why(damaged: bytes, code: str, tmp_path: Path) -> None:
    for others in ((), (SMALL,), (images.jpeg(700, 500)[:3_000],)):
        with pytest.raises(errors.ImageRefused) as refusal:
            rendered(raws.dng(damaged, *others), tmp_path)
        assert refusal.value.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
