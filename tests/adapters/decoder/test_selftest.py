"""The decoder proves before a start that it can do its work; what it cannot do is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from structlog.testing import capture_logs

from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.runtime import preparation
from media_jobs.runtime.resources import CannotStart
from tests.adapters.decoder.running import LINUX, MEMORY_BYTES

Alter = Callable[[str], None]


def test_every_format_is_written_and_read_and_the_protection_reported(tmp_path: Path) -> None:
    with capture_logs() as logs:
        selftest(MEMORY_BYTES, tmp_path)
    ready = next(log for log in logs if log["event"] == "sandbox_ready")
    assert {"libvips", "seccomp", "landlock", "address_space", "few_capabilities"} <= set(ready)
    assert tuple(map(int, ready["libvips"].split("."))) >= (8, 15)
    assert list(tmp_path.iterdir()) == []


BROKEN = {
    "read webp": """
        import pyvips
        from media_jobs.pipeline.readers import vips
        plain = vips.lock
        def lock():
            plain()
            pyvips.operation_block_set("VipsForeignLoadWebp", True)
        vips.lock = lock
    """,
    "read dng": "sys.modules['rawpy'] = None",
    "read heic": "sys.modules['pi_heif'] = None",
    "read bmp": "sys.modules['PIL.BmpImagePlugin'] = None",
    "write avif": """
        import pyvips
        def heifsave_buffer(image, **options):
            raise pyvips.Error("no encoder")
        pyvips.Image.heifsave_buffer = heifsave_buffer
    """,
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_missing_is_named(altered: Alter, tmp_path: Path, what: str) -> None:
    altered(BROKEN[what])
    with pytest.raises(DecoderUnusable) as refusal:
        selftest(MEMORY_BYTES, tmp_path / "work")
    assert f"cannot {what}. " in str(refusal.value)
    assert "libvips 8." in str(refusal.value)
    assert "requirements.txt" in str(refusal.value)
    assert list((tmp_path / "work").iterdir()) == []


def test_an_old_libvips_is_refused_by_its_version(altered: Alter, tmp_path: Path) -> None:
    altered("""
        import pyvips
        from media_jobs.pipeline.readers import vips
        pyvips.version = lambda part: (8, 14, 5)[part]
        vips.lock = lambda: 1 / 0
    """)
    with pytest.raises(DecoderUnusable, match=r"libvips is 8\.14\.5, but at least 8\.15 is needed"):
        selftest(MEMORY_BYTES, tmp_path / "work")


def test_a_decoder_that_does_not_start_is_refused(altered: Alter, tmp_path: Path) -> None:
    altered("sys.modules['pyvips'] = None")
    with pytest.raises(DecoderUnusable, match="does not start"):
        selftest(MEMORY_BYTES, tmp_path / "work")


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DecoderUnusable, match=r"cannot use .*data/work.* \(Not a directory\)\. Look at GALLIMG_DATA"):
        selftest(MEMORY_BYTES, tmp_path / "data" / "work")


def test_neither_service_nor_worker_starts_without_a_decoder(altered: Alter, tmp_path: Path, settings: Any) -> None:
    settings.WORK_DIR = tmp_path / "work"
    altered("sys.modules['pyvips'] = None")
    with pytest.raises(CannotStart, match=r"gallimg cannot start\. The decoder does not start"):
        preparation.probe_decoder()
    with pytest.raises(CommandError, match="The decoder does not start"):
        call_command("worker")


@LINUX
def test_a_weaker_kernel_is_a_warning(altered: Alter, tmp_path: Path) -> None:
    altered("""
        from media_jobs.pipeline.child import landlock, seccomp
        landlock.install = lambda **paths: 0
        seccomp.install = lambda: False
    """)
    with capture_logs() as logs:
        selftest(MEMORY_BYTES, tmp_path / "work")
    assert [log["missing"] for log in logs if log["event"] == "sandbox_weaker"] == [["seccomp", "landlock"]]
