"""What the tests of the decoder's process share."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from media_jobs.pipeline.values import Rendered

ROOT = Path(__file__).resolve().parents[3]
MEMORY_BYTES = 768 * 1_048_576
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own limits are looked up in /proc")

Ask = Callable[..., Rendered]
