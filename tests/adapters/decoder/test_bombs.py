"""What is made to exhaust the decoder costs it next to nothing; what is merely large goes through."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.recipes import Preset, Rendition
from media_jobs.pipeline.values import Limits, Rendered, Request
from tests import images
from tests.formats import bombs, heif

MB = 1_048_576
PRESET = Preset("small", (Rendition("small", 512),))
BOMBS = {
    "jpeg": (images.jpeg_bomb, "too_many_pixels"),
    "png": (images.png_bomb, "too_many_pixels"),
    "webp": (images.webp_bomb, "too_many_pixels"),
    "gif": (images.gif_bomb, "too_many_pixels"),
    "gif-frames": (lambda: images.gif_with(40_000), "too_many_frames"),
    "avif": (bombs.avif, "too_many_pixels"),
    # Its header tells no lie that we could see; the AV1 decoder gives up by its own limit, or for lack of memory.
    "avif-within": (bombs.avif_within, "undecodable|too_much_memory"),
    "tiff-pages": (lambda: bombs.tiff_of_pages(40_000), "too_many_frames"),
    "tiff-nested": (lambda: bombs.nested_tiff(10_000), "undecodable"),
    "tiff-entries": (lambda: bombs.tiff_of_entries(65_535), "undecodable"),
}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a process's peak memory is looked up in /proc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("decoder")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    """One child for all of them: what one bomb used would count against the next."""
    box = Sandbox(768 * MB, folder)
    yield box
    box.close()


def render(box: Sandbox, data: bytes, folder: Path, limits: Limits) -> Rendered:
    (folder / "source").write_bytes(data)
    request = Request(str(folder / "source"), str(folder), "0" * 64, PRESET, limits)
    return box.render(request, timeout_s=60, heartbeat=lambda: None, on_output=lambda done, of: None)


def peak_bytes(box: Sandbox) -> int:
    status = Path(f"/proc/{box.pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_less_than_100_mb(name: str, sandbox: Sandbox, folder: Path) -> None:
    make, code = BOMBS[name]
    with pytest.raises(errors.ImageRefused) as refusal:
        render(sandbox, make(), folder, Limits())
    assert refusal.value.code in code.split("|")
    assert peak_bytes(sandbox) < 100 * MB


def test_a_phones_48_megapixels_in_tiles_fit_into_the_default_memory(tmp_path: Path) -> None:
    gain_map = (b"urn:com:apple:photo:2020:aux:hdrgainmap",)
    data = heif.grid(heif.LARGE_HEVC, 8064, 6048, heif.rotation(270), helpers=gain_map)
    box = Sandbox(768 * MB, tmp_path)
    try:
        rendered = render(box, data, tmp_path, Limits(ratio=10**6))  # it is of one colour
    finally:
        box.close()
    assert (rendered.format, rendered.width_px, rendered.height_px) == ("heic", 6048, 8064)
