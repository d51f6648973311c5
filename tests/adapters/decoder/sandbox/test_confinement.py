"""The decoder's process: what it has, and what it may do."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.adapters.decoder.process import LIBRARIES_BYTES
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.child import landlock
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.pipeline.values import Limits, Request
from tests import images
from tests.adapters.decoder.running import LINUX, MEMORY_BYTES, Ask

#: All that root keeps: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH.
FILE_CAPABILITIES = 0b110


@LINUX
def test_nothing_of_the_parents_environment_reaches_the_child(
    ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    ask(images.jpeg())
    environment = Path(f"/proc/{sandbox.pid}/environ").read_bytes().strip(b"\0").split(b"\0")
    names = {line.split(b"=")[0].decode() for line in environment}
    vips = {"VIPS_CONCURRENCY", "VIPS_BLOCK_UNTRUSTED"}
    assert names == {"LANG", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"} | vips


@LINUX
def test_the_child_inherits_no_descriptor(ask: Ask, sandbox: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        ask(images.jpeg())
        descriptors = [os.readlink(entry) for entry in Path(f"/proc/{sandbox.pid}/fd").iterdir()]
    assert len({name for name in descriptors if name.startswith("pipe:")}) == 3
    assert all(name.startswith(("pipe:", "anon_inode:")) for name in descriptors), descriptors


@LINUX
def test_the_kernel_holds_the_child_to_its_limits(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    lines = Path(f"/proc/{sandbox.pid}/limits").read_text().splitlines()[1:]
    limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    assert limits["Max address space"] == [str(MEMORY_BYTES + LIBRARIES_BYTES)] * 2
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max cpu time"] == ["3600", "3605"]
    assert limits["Max file size"] == [str(256 * 1_048_576)] * 2
    assert limits["Max open files"] == ["64", "64"]
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{sandbox.pid}/status").read_text().splitlines())
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapPrm"], 16) & ~FILE_CAPABILITIES == 0
    assert os.getsid(sandbox.pid or 0) == sandbox.pid


@LINUX
def test_where_memory_ends_the_kernel_takes_the_decoder_and_nobody_else(ask: Ask, sandbox: Sandbox) -> None:
    ask(images.jpeg())
    ours, childs = (int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in ("self", sandbox.pid))
    assert childs == 800 > ours


@LINUX
def test_past_its_address_space_the_child_refuses_and_lives(tmp_path: Path) -> None:
    """The guard is given more memory than there is, so that the decoder itself has to give up."""
    (tmp_path / "source").write_bytes(images.jpeg(8000, 6000, progressive=True, subsampling=0))
    limits = Limits(memory_bytes=8 * 1_073_741_824)
    request = Request(str(tmp_path / "source"), str(tmp_path), "0" * 64, GALLFORMERS, limits)
    box = Sandbox(64 * 1_048_576, tmp_path)
    try:
        with pytest.raises(errors.TooMuchMemory):
            box.render(request, timeout_s=120, heartbeat=lambda: None, on_output=lambda done, of: None)
        (tmp_path / "source").write_bytes(images.jpeg())
        assert len(box.render(request, timeout_s=60, heartbeat=lambda: None, on_output=lambda d, of: None).outputs) == 4
    finally:
        box.close()


@pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
def test_sources_are_read_only_where_the_sandbox_was_allowed(tmp_path: Path) -> None:
    folder, album = tmp_path / "folder", tmp_path / "album"
    folder.mkdir()
    album.mkdir()
    (album / "photo").write_bytes(images.jpeg())
    request = Request(str(album / "photo"), str(folder), "0" * 64, GALLFORMERS)

    def render(*readable: Path) -> None:
        with contextlib.closing(Sandbox(MEMORY_BYTES, folder, readable=readable)) as box:
            box.render(request, timeout_s=60, heartbeat=lambda: None, on_output=lambda done, of: None)

    with pytest.raises(errors.DecoderFailed, match="PermissionError"):
        render()
    render(album)


@LINUX
def test_a_hardened_worker_keeps_its_environment_to_itself() -> None:
    script = (
        "import ctypes; from media_jobs.adapters.decoder.sandbox import harden_worker; harden_worker();"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "0"


def test_what_a_library_prints_cannot_be_taken_for_an_answer() -> None:
    script = (
        "import os, subprocess; from media_jobs.pipeline.child import loop;"
        "answers = loop._private_stdout(); os.write(1, b'noise'); print('noise', flush=True);"
        "subprocess.run(['echo', 'noise']); answers.write(b'answer'); answers.flush()"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "answer"
    assert answer.stderr.count("noise") == 3


def test_a_flood_on_standard_error_blocks_nobody(ask: Ask, tmp_path: Path) -> None:
    """Hundreds of pictures that libvips complains about, through one child."""
    complaint = images.cut(images.jpeg(64, 48))
    for _ in range(200):
        with pytest.raises(errors.ImageRefused):
            ask(complaint)
