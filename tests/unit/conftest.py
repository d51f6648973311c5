"""Renders as the child does, for all tests of what comes out."""

import itertools
from pathlib import Path
from typing import Protocol

import pytest
import pyvips

from media_jobs.pipeline.recipes import Fit, Preset, Rendition
from media_jobs.pipeline.render import render
from media_jobs.pipeline.values import Overrides, Rendered, Request
from media_jobs.pipeline.verify import verify
from tests.formats.pictures import opened

SIZES = Preset(
    "sizes",
    (Rendition("large", 160), Rendition("middle", 80), Rendition("small", 40), Rendition("square", 32, Fit.COVER)),
)
AS_ASKED = Overrides()


class Make(Protocol):
    def __call__(
        self, data: bytes, preset: Preset = ..., overrides: Overrides = ...
    ) -> tuple[Rendered, dict[str, pyvips.Image]]: ...


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Render bytes as the child does and check the answer as the parent does; gives the answer and the files."""
    number = itertools.count()

    def run(
        data: bytes, preset: Preset = SIZES, overrides: Overrides = AS_ASKED
    ) -> tuple[Rendered, dict[str, pyvips.Image]]:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        (folder / "source").write_bytes(data)
        request = Request(str(folder / "source"), str(folder), "0" * 64, preset, overrides=overrides)
        rendered = render(request)
        verify(rendered, request)
        return rendered, {o.name: opened((folder / o.file).read_bytes()) for o in rendered.outputs}

    return run
