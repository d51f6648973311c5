"""What the tests of the decoder's process share."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from media_jobs.pipeline.recipes import Format, Preset, Rendition
from media_jobs.pipeline.values import Rendered

ROOT = Path(__file__).resolve().parents[3]
MEMORY_BYTES = 768 * 1_048_576
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own limits are looked up in /proc")
#: Six outputs of a second each: after the first the child is sure to be at work, however late one looks.
SLOW = Preset("slow", tuple(Rendition(f"r{n}", 6000 - n, format=Format.WEBP, quality=100) for n in range(6)))

Ask = Callable[..., Rendered]
