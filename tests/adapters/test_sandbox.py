"""The decoder's process: what it answers, how it dies, and that its parent always knows where it stands."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder_process import LIBRARIES_BYTES
from media_jobs.adapters.sandbox import Sandbox
from media_jobs.pipeline import selftest as samples
from media_jobs.pipeline.recipes import GALLFORMERS, Format, Preset, Rendition
from media_jobs.pipeline.values import Limits, Rendered, Request
from tests import heif, images
from tests.adapters.decoder import LINUX, Ask

#: Slow enough to be interrupted: large WebP outputs take seconds.
SLOW = Preset("slow", tuple(Rendition(f"r{n}", 6000 - n, format=Format.WEBP, quality=100) for n in range(6)))


def gone(pid: int) -> bool:
    """Whether the process has ended, waiting a while for a signal to arrive."""
    for _ in range(200):
        try:
            if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


# --- answers --------------------------------------------------------------------------------------


def test_a_render_tells_of_each_output_and_beats_meanwhile(ask: Ask, tmp_path: Path) -> None:
    outputs: list[tuple[int, int]] = []
    beats: list[None] = []
    rendered = ask(
        images.jpeg(3000, 2000),
        beat=lambda: beats.append(None),
        on_output=lambda done, of: outputs.append((done, of)),
    )
    assert outputs == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert beats
    assert [(tmp_path / o.file).stat().st_size for o in rendered.outputs] == [o.size_bytes for o in rendered.outputs]


def test_one_child_serves_many(ask: Ask, sandbox: Sandbox) -> None:
    assert sandbox.pid is None
    ask(images.jpeg())
    first = sandbox.pid
    ask(images.png())
    assert sandbox.pid == first is not None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.UnsupportedFormat),
        (images.jpeg_bomb(), errors.TooManyPixels),
        (images.png_bomb(), errors.TooManyPixels),
        (images.cut(images.png()), errors.Truncated),
        (images.damaged(images.png()), errors.Undecodable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_refusal_arrives_as_itself_and_spares_the_child(
    ask: Ask, sandbox: Sandbox, data: bytes, kind: type[errors.ImageRefused]
) -> None:
    ask(images.jpeg())
    child = sandbox.pid
    with pytest.raises(kind) as refused:
        ask(data)
    assert str(refused.value)
    assert sandbox.pid == child


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


def test_a_surprise_is_not_the_files_fault(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "source").write_bytes(images.jpeg())
    request = Request(str(tmp_path / "source"), "/nonexistent/folder", "0" * 64, GALLFORMERS)
    with pytest.raises(errors.DecoderFailed):
        sandbox.render(request, timeout_s=60, beat=lambda: None, on_output=lambda done, of: None)


TWELVE_MEGAPIXELS: dict[str, Callable[[int, int], bytes]] = {
    "jpeg": images.jpeg,
    "progressive jpeg": lambda w, h: images.jpeg(w, h, progressive=True),
    "progressive jpeg, full colour": lambda w, h: images.jpeg(w, h, progressive=True, subsampling=0),
    "cmyk jpeg": lambda w, h: images.encoded(images.quadrants(w, h).convert("CMYK"), "JPEG"),
    "png": images.png,
    "transparent png": lambda w, h: images.encoded(images.quadrants(w, h).convert("RGBA"), "PNG"),
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
            box.render(request, timeout_s=120, beat=lambda: None, on_output=lambda done, of: None)
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
        return box.render(request, timeout_s=120, beat=lambda: None, on_output=lambda done, of: None)

    large = source.read_bytes()
    try:
        render(samples.png(), Limits(), samples.preset(Format.AVIF))
        for data in (*samples.given().values(), samples.dng(images.jpeg(16, 16))):
            render(data, Limits())
        used = box.pid
        render(large, Limits(memory_bytes=estimate, ratio=100_000))
        assert box.pid == used
    finally:
        box.close()


def estimated_bytes(source: Path) -> int:
    from media_jobs.pipeline.geometry import plan
    from media_jobs.pipeline.guard import estimated_bytes as estimate
    from media_jobs.pipeline.probe import probe

    found = probe(source, Limits())
    return estimate(found, plan(found.displayed_px, GALLFORMERS)[0].size_px)


# --- death ----------------------------------------------------------------------------------------


def test_a_child_killed_in_mid_render_is_reported_and_replaced(ask: Ask, sandbox: Sandbox, large: bytes) -> None:
    def kill(done: int, of: int) -> None:
        assert sandbox.pid
        os.kill(sandbox.pid, signal.SIGKILL)

    with pytest.raises(errors.DecoderKilled, match="killed from outside"):
        ask(large, SLOW, on_output=kill)
    assert len(ask(images.jpeg()).outputs) == 4


CRASHES = [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE, signal.SIGSYS]


@pytest.mark.parametrize("how", CRASHES)
def test_a_crash_on_a_childs_first_picture_is_the_pictures_doing(
    ask: Ask, sandbox: Sandbox, how: signal.Signals
) -> None:
    pids = set()

    def crash(done: int, of: int) -> None:
        assert sandbox.pid
        pids.add(sandbox.pid)
        os.kill(sandbox.pid, how)

    with pytest.raises(errors.DecoderCrashed, match=SIGSYS_OR_NUMBER.format(how)):
        ask(images.jpeg(3000, 2000), SLOW, on_output=crash)
    assert len(pids) == 1


SIGSYS_OR_NUMBER = "crashed, signal {0:d}|system call"


def test_a_crash_of_a_child_that_was_used_before_is_tried_again_in_a_new_one(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    used = sandbox.pid
    assert used
    seen: list[int] = []

    def crash_the_first(done: int, of: int) -> None:
        seen.append(done)
        if sandbox.pid == used:
            os.kill(used, signal.SIGSEGV)

    assert len(ask(images.jpeg(3000, 2000), SLOW, on_output=crash_the_first).outputs) == 6
    assert sandbox.pid != used
    assert seen[-6:] == [1, 2, 3, 4, 5, 6]


def test_a_picture_that_crashes_a_new_child_too_is_to_blame_and_not_tried_a_third_time(
    ask: Ask, sandbox: Sandbox
) -> None:
    ask(images.jpeg())
    pids = set()

    def crash(done: int, of: int) -> None:
        assert sandbox.pid
        pids.add(sandbox.pid)
        os.kill(sandbox.pid, signal.SIGABRT)

    with pytest.raises(errors.DecoderCrashed):
        ask(images.jpeg(3000, 2000), SLOW, on_output=crash)
    assert len(pids) == 2


def test_a_kill_is_not_tried_again(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    pids = set()

    def kill(done: int, of: int) -> None:
        assert sandbox.pid
        pids.add(sandbox.pid)
        os.kill(sandbox.pid, signal.SIGKILL)

    with pytest.raises(errors.DecoderKilled):
        ask(images.jpeg(3000, 2000), SLOW, on_output=kill)
    assert len(pids) == 1


def test_a_child_that_dies_before_its_first_picture_blames_none(altered: Callable[[str], None], ask: Ask) -> None:
    altered("import os; os.abort()")
    with pytest.raises(errors.DecoderFailed, match="signal 6") as raised:
        ask(images.jpeg())
    assert not isinstance(raised.value, errors.DecoderCrashed)


@LINUX
def test_a_child_that_uses_up_its_processor_time_was_too_slow(altered: Callable[[str], None], ask: Ask) -> None:
    altered("""
        import resource
        from media_jobs.pipeline.child import confine
        confine._LIMITS[resource.RLIMIT_CPU] = 2
    """)
    with pytest.raises(errors.DecoderTimeout):
        ask(images.jpeg(6000, 4000), SLOW)


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


def test_a_crash_near_the_limit_of_memory_is_not_the_pictures_doing(altered: Callable[[str], None], ask: Ask) -> None:
    altered("""
        import os, time
        from media_jobs.pipeline import render
        def die(request, on_output):
            hoard = b"x" * (500 << 20)
            time.sleep(1.2)  # it is looked at twice a second
            os.abort()
        render.render = die
    """)
    with pytest.raises(errors.TooMuchMemory):
        ask(images.jpeg())


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
            box.render(request, timeout_s=60, beat=lambda: None, on_output=lambda done, of: None)
            assert short_by_mb < 60, "it was enough, and the test without sense"


def test_a_child_that_died_idle_is_replaced_unnoticed(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    first = sandbox.pid
    assert first
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)  # all its threads have ended, and nobody has asked yet
    ask(images.jpeg())
    assert sandbox.pid != first


def test_past_its_time_a_child_is_killed(ask: Ask, sandbox: Sandbox, large: bytes) -> None:
    pids: list[int | None] = []
    with pytest.raises(errors.DecoderTimeout, match=r"within 0\.7 seconds"):
        ask(large, SLOW, timeout_s=0.7, beat=lambda: pids.append(sandbox.pid))
    assert pids[0]
    assert gone(pids[0])
    assert sandbox.pid is None
    assert len(ask(images.jpeg()).outputs) == 4


class StopWanted(Exception):
    """What a worker raises in its beat."""


@pytest.mark.parametrize("where", ["beat", "on_output"])
def test_whatever_a_callback_raises_passes_through_and_kills_the_child(
    ask: Ask, sandbox: Sandbox, large: bytes, where: str
) -> None:
    pids: list[int | None] = []

    def stop(*_: int) -> None:
        pids.append(sandbox.pid)
        raise StopWanted

    with pytest.raises(StopWanted):
        ask(large, SLOW, **{where: stop})
    assert pids[0]
    assert gone(pids[0])
    assert ask(images.jpeg(64, 48)).width_px == 64


def test_a_beat_may_stop_a_child_that_never_comes_up(
    altered: Callable[[str], None], ask: Ask, sandbox: Sandbox
) -> None:
    altered("import time; time.sleep(600)")
    pids: list[int | None] = []

    def stop_the_second_time() -> None:
        pids.append(sandbox.pid)
        if len(pids) == 2:
            raise StopWanted

    with pytest.raises(StopWanted):
        ask(images.jpeg(), beat=stop_the_second_time)
    assert pids[0]
    assert gone(pids[0])


def test_a_beat_may_stop_a_child_that_says_no_more_but_does_not_end(
    altered: Callable[[str], None], ask: Ask, sandbox: Sandbox
) -> None:
    altered("""
        import os, time
        from media_jobs.pipeline.child import loop
        def fall_silent(*_):
            os.closerange(1, 64)
            time.sleep(600)
        loop._answer = fall_silent
    """)
    pids: list[int | None] = []

    def stop_the_third_time() -> None:
        if sandbox.pid and sandbox._child and not sandbox._child.is_fresh:
            pids.append(sandbox.pid)
        if len(pids) == 3:
            raise StopWanted

    with pytest.raises(StopWanted):
        ask(images.jpeg(), beat=stop_the_third_time)
    assert pids[0]
    assert gone(pids[0])


def test_an_exception_out_of_the_blue_leaves_no_answer_for_the_next_render(
    ask: Ask, sandbox: Sandbox, large: bytes
) -> None:
    """RQ's time limit is an exception raised by a signal handler, wherever the worker is just then."""

    def alarm(signum: int, frame: object) -> None:
        raise StopWanted

    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.8)
    try:
        with pytest.raises(StopWanted):
            ask(large, SLOW)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ask(images.jpeg(64, 48)).width_px == 64


def test_closing_twice_is_fine(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    child = sandbox.pid
    sandbox.close()
    sandbox.close()
    assert child
    assert gone(child)


@LINUX
def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Even one that is too busy, here stopped, to notice that nobody listens any more."""
    (tmp_path / "source").write_bytes(images.jpeg())
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    died = gone(child)
    if not died:
        os.kill(child, signal.SIGKILL)
    assert died


PARENT = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    from media_jobs.adapters.sandbox import Sandbox
    from media_jobs.pipeline.recipes import GALLFORMERS
    from media_jobs.pipeline.values import Request
    def stop(done, of):
        os.kill(box.pid, signal.SIGSTOP)
        print(box.pid, flush=True)
        time.sleep(600)
    box = Sandbox(768 << 20, Path(sys.argv[1]))
    request = Request(sys.argv[1] + "/source", sys.argv[1], "0", GALLFORMERS)
    box.render(request, timeout_s=60, beat=lambda: None, on_output=stop)
""")
