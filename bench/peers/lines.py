"""The loop of the programs in Python; `lines.mjs` is that of the others."""

import ctypes
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

#: Makes the renditions; gives width and height of each.
Way = Callable[[Path], list[tuple[int, int]]]


def serve(ways: dict[str, Way], prepare: Callable[[Path], object] = lambda path: None) -> None:
    """Answer questions until input ends. `prepare` is called with each picture before the clock starts."""
    trim = ctypes.CDLL(None).malloc_trim  # the sandbox starts each render with a trimmed heap, too
    for line in sys.stdin:
        question = json.loads(line)
        picture = Path(question["picture"])
        prepare(picture)
        trim(0)
        started_s = time.process_time()
        outputs_px = ways[question["way"]](picture)
        cpu_s = time.process_time() - started_s
        print(json.dumps({"cpu_s": cpu_s, "outputs_px": outputs_px}), flush=True)
