"""What a picture may take of memory, and that running out of it is never taken for damage."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder.process import LIBRARIES_BYTES
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline import selftest as samples
from media_jobs.pipeline.recipes import GALLFORMERS, Format, Preset
from media_jobs.pipeline.values import Limits, Rendered, Request
from tests import images
from tests.adapters.decoder.running import LINUX, Ask
from tests.formats import heif

pytestmark = pytest.mark.slow  # `make test-all` runs them


@LINUX
def test_bombs_take_no_memory(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    before = resident_peak_kb(sandbox.pid)
    for bomb in (images.jpeg_bomb(), images.png_bomb(), images.gif_bomb()):
        with pytest.raises(errors.TooManyPixels):
            ask(bomb)
    with pytest.raises(errors.TooManyFrames):
        ask(images.gif_with(frames=100_000, side_px=40))
    assert resident_peak_kb(sandbox.pid) - before < 40_000


def resident_peak_kb(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


TWELVE_MEGAPIXELS: dict[str, Callable[[int, int], bytes]] = {
    "jpeg": images.jpeg,
    "progressive jpeg": lambda w, h: images.jpeg(w, h, progressive=True),
    "progressive jpeg, full colour": lambda w, h: images.jpeg(w, h, progressive=True, subsampling=0),
    "cmyk jpeg": lambda w, h: images.encoded(images.quadrants(w, h).convert("CMYK"), "JPEG"),
    "png": images.png,
    "transparent png": lambda w, h: images.encoded(images.quadrants(w, h).convert("RGBA"), "PNG"),
    "transparent png, wide": lambda w, h: images.encoded(images.quadrants(3 * w, h // 3).convert("RGBA"), "PNG"),
    "transparent avif, wide": lambda w, h: images.encoded(
        images.quadrants(3 * w, h // 3).convert("RGBA"), "AVIF", speed=10
    ),
    "webp": images.webp,
    "lossless webp": lambda w, h: images.webp(w, h, lossless=True),
    "transparent webp": lambda w, h: images.encoded(images.quadrants(w, h).convert("RGBA"), "WEBP"),
    "gif": images.gif,
    "animated gif": lambda w, h: images.gif(w, h, frames=2),
    "tiff": images.tiff,
    "tiff, lzw": lambda w, h: images.tiff(w, h, compression="tiff_lzw"),
}


@LINUX
@pytest.mark.parametrize("kind", TWELVE_MEGAPIXELS)
def test_what_the_guard_lets_pass_fits_into_its_estimate(kind: str, tmp_path: Path) -> None:
    """The address space is limited to exactly what the guard thinks this picture takes."""
    (tmp_path / "source").write_bytes(TWELVE_MEGAPIXELS[kind](4000, 3000))
    estimate = estimated_bytes(tmp_path / "source")
    limits = Limits(memory_bytes=estimate, ratio=100_000)  # flat colours pack well
    request = Request(str(tmp_path / "source"), str(tmp_path), "0" * 64, GALLFORMERS, limits)
    box = Sandbox(estimate - LIBRARIES_BYTES, tmp_path)
    try:
        for _ in range(3):
            box.render(request, timeout_s=120, heartbeat=lambda: None, on_output=lambda done, of: None)
    finally:
        box.close()


@LINUX
def test_a_child_that_has_loaded_every_library_takes_as_much_as_a_fresh_one(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(images.jpeg(4000, 3000, progressive=True, subsampling=0))
    estimate = estimated_bytes(source)
    box = Sandbox(estimate, tmp_path)

    def render(data: bytes, limits: Limits, preset: Preset = GALLFORMERS) -> Rendered:
        source.write_bytes(data)
        request = Request(str(source), str(tmp_path), "0" * 64, preset, limits)
        return box.render(request, timeout_s=120, heartbeat=lambda: None, on_output=lambda done, of: None)

    large = source.read_bytes()
    try:
        render(samples.png(), Limits(), samples.preset(Format.AVIF))
        for data in samples.given().values():
            render(data, Limits())
        with pytest.raises(errors.RawWithoutPreview):  # of a size that has LibRaw asked for a larger one
            render(samples.dng(images.jpeg(16, 16)), Limits())
        used = box.pid
        render(large, Limits(memory_bytes=estimate, ratio=100_000))
        assert box.pid == used
    finally:
        box.close()


def estimated_bytes(source: Path) -> int:
    """What the guard compares with its limit."""
    from media_jobs.pipeline.geometry import plan
    from media_jobs.pipeline.guard import estimated_bytes as estimate
    from media_jobs.pipeline.probe import probe
    from media_jobs.pipeline.render import encoder_bytes

    found = probe(source, Limits())
    steps = plan(found.displayed_px, GALLFORMERS)
    return estimate(found, steps[0].size_px) + encoder_bytes(steps, found.format)


@pytest.mark.parametrize(
    "last_words",
    [
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "GLib-ERROR **: ../glib/gmem.c:139: failed to allocate 48000000 bytes",
        "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.",
    ],
)
def test_a_crash_for_lack_of_memory_is_not_the_pictures_doing(
    altered: Callable[[str], None], ask: Ask, last_words: str
) -> None:
    altered(f"""
        import os
        from media_jobs.pipeline import render
        def die(request, on_output):
            os.write(2, {last_words.encode()!r})
            os.abort()
        render.render = die
    """)
    with pytest.raises(errors.TooMuchMemory):
        ask(images.jpeg())


def test_a_crash_near_the_limit_of_memory_is_not_the_pictures_doing(
    altered: Callable[[str], None], ask: Ask, tmp_path: Path
) -> None:
    altered("""
        import os, time
        from media_jobs.pipeline import render
        def die(request, on_output):
            hoard = b"x" * (500 << 20)
            open("hoards", "x").close()
            while not os.path.exists("seen"):
                time.sleep(0.01)
            os.abort()
        render.render = die
    """)
    at_its_largest = 0

    def see() -> None:
        """What a child takes is looked at after each heartbeat: before the second one it has been."""
        nonlocal at_its_largest
        for hoards in tmp_path.glob("decoder-*/hoards"):
            at_its_largest += 1
            if at_its_largest == 2:
                hoards.with_name("seen").touch()

    with pytest.raises(errors.TooMuchMemory):
        ask(images.jpeg(), heartbeat=see)


SHORT_OF_MEMORY: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: images.jpeg(4000, 3000),
    "progressive jpeg": lambda: images.jpeg(4000, 3000, progressive=True, subsampling=0),
    "png": lambda: images.png(4000, 3000),
    "webp": lambda: images.webp(4000, 3000),
    "gif": lambda: images.gif(4000, 3000),
    "tiff": lambda: images.tiff(4000, 3000, compression="tiff_lzw"),
    "bmp": lambda: images.bmp(4000, 3000),
    "avif": lambda: heif.grid(heif.LARGE_AV1, 4096, 3072),
    "heic": lambda: heif.grid(heif.LARGE_HEVC, 4096, 3072),
    "raw": lambda: samples.dng(images.jpeg(4000, 3000)),
}


@LINUX
@pytest.mark.parametrize("short_by_mb", [60, 44])
@pytest.mark.parametrize("kind", SHORT_OF_MEMORY)
def test_memory_that_runs_out_is_never_taken_for_a_damaged_file(kind: str, short_by_mb: int, tmp_path: Path) -> None:
    """Far less than any setting allows, so that small pictures run into it, each library somewhere else."""
    (tmp_path / "source").write_bytes(SHORT_OF_MEMORY[kind]())
    request = Request(str(tmp_path / "source"), str(tmp_path), "0" * 64, GALLFORMERS, Limits(ratio=10**6))
    with contextlib.closing(Sandbox(-short_by_mb * 1_048_576, tmp_path)) as box:
        box.start()
        with contextlib.suppress(errors.TooMuchMemory):
            box.render(request, timeout_s=60, heartbeat=lambda: None, on_output=lambda done, of: None)
            assert short_by_mb < 60, "it was enough, and the test without sense"
