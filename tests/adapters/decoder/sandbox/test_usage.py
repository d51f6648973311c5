"""What a render took, and when a child has become too large to keep."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.recipes import Preset, Rendition
from media_jobs.pipeline.values import Usage
from media_jobs.states import SandboxEnd
from tests import images
from tests.adapters.decoder.running import LINUX, SLOW, Ask

pytestmark = [LINUX, pytest.mark.slow]

MEGABYTE = 1_048_576
SMALL = Preset("small", (Rendition("r", 60),))
ENLARGED = Preset("enlarged", (Rendition("r", 1300, enlarge=True),))
HOARD = """
    from media_jobs.pipeline import render
    plain, hoard = render.render, []
    def render_and_keep(request, on_output):
        hoard.append(bytearray(b"x" * (40 << 20)))
        return plain(request, on_output)
    render.render = render_and_keep
"""


def used(sandbox: Sandbox) -> Usage:
    assert sandbox.usage
    return sandbox.usage


def test_every_render_is_measured_by_itself(ask: Ask, sandbox: Sandbox) -> None:
    assert sandbox.usage is None
    ask(images.jpeg(4000, 3000, progressive=True))
    large = used(sandbox)
    ask(images.jpeg(64, 48))
    small = used(sandbox)
    assert large.wall_ms >= large.cpu_ms / 2 > 0
    assert large.cpu_ms > small.cpu_ms
    assert large.peak_bytes - small.peak_bytes > 20 * MEGABYTE
    assert small.peak_bytes > 15 * MEGABYTE


def test_a_refusal_is_measured_too(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg(64, 48))
    before = used(sandbox)
    with pytest.raises(errors.TooManyPixels):
        ask(images.png_bomb())
    assert used(sandbox) is not before
    assert used(sandbox).peak_bytes > 15 * MEGABYTE


@pytest.mark.parametrize("how", ["killed", "out of time", "stopped"])
def test_what_ended_in_the_middle_is_measured_too(ask: Ask, sandbox: Sandbox, large: bytes, how: str) -> None:
    def end(done: int, of: int) -> None:
        assert sandbox.pid
        if how == "killed":
            os.kill(sandbox.pid, signal.SIGKILL)
        if how == "stopped":
            raise InterruptedError

    ask(images.jpeg(64, 48))
    before = used(sandbox)
    asked = {"timeout_s": 0.15} if how == "out of time" else {"on_output": end}
    with pytest.raises((errors.DecoderFailed, errors.DecoderTimeout, InterruptedError)):
        ask(large, SLOW, **asked)
    assert used(sandbox) is not before
    assert used(sandbox).wall_ms > 50
    if how != "out of time":  # within its time it may have had next to no processor
        assert used(sandbox).cpu_ms > 20
    assert used(sandbox).peak_bytes > 15 * MEGABYTE


def test_a_child_that_has_grown_is_replaced_before_the_next_picture(
    ask: Ask, sandbox: Sandbox, altered: Callable[[str], None]
) -> None:
    altered(HOARD)
    pids = []
    for _ in range(5):
        ask(images.jpeg(64, 48))
        pids.append(sandbox.pid)
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def test_many_pictures_do_not_wear_a_child_out(ask: Ask, sandbox: Sandbox, tmp_path: Path) -> None:
    ask(images.jpeg())
    first = sandbox.pid
    for width_px in range(1000, 1100, 10):
        ask(images.jpeg(width_px, 800, progressive=True))
    assert sandbox.pid == first


def test_after_its_share_of_pictures_a_child_is_replaced(
    ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_jobs.adapters.decoder.process._RENDERS_PER_CHILD", 2)
    pids = []
    for _ in range(3):
        ask(images.jpeg(64, 48))
        pids.append(sandbox.pid)
    assert pids[0] == pids[1] != pids[2]
    assert sandbox.restarts == {SandboxEnd.WORN: 1}


@pytest.mark.parametrize(
    ("size_px", "preset"), [((1001, 1000), SMALL), ((64, 48), ENLARGED)], ids=["a large picture", "a large output"]
)
def test_only_what_is_large_has_its_memory_returned_after_its_render(
    size_px: tuple[int, int], preset: Preset, ask: Ask, altered: Callable[[str], None]
) -> None:
    altered("import os; loop.trimmer = lambda: lambda: os._exit(3)")
    ask(images.jpeg(1000, 1000), SMALL)
    with pytest.raises(errors.DecoderFailed, match="exit code 3"):
        ask(images.jpeg(*size_px), preset)
