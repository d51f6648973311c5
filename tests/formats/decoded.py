"""Pictures as the pipeline decodes them, in a process of its own: pi-heif and Pillow stay out of the tests' process.

As a program: decodes every file of a folder and prints what became of them.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from media_jobs import errors
from media_jobs.pipeline.values import Limits

#: Pictures here are small, raw files' previews too.
_LIMITS = Limits(raw_preview_px=64)
_MEMORY_BYTES = 768 * 1_048_576


@dataclass(frozen=True, slots=True)
class Decoded:
    """`code` and `sentence` of a refusal, or the picture. corners: the middle of each quadrant, as in CORNERS."""

    code: str = ""
    sentence: str = ""
    format: str = ""
    size_px: tuple[int, int] = (0, 0)
    orientation: int = 0
    bands: int = 0
    corners: tuple[tuple[int, ...], ...] = ()
    peak_bytes: int = 0  #: address space of the process so far

    def shows(self, *colours: tuple[int, ...], tolerance: int = 12) -> bool:
        """Whether the corners have these colours."""
        pairs = zip(self.corners, colours, strict=True)
        return all(abs(a - b) <= tolerance for corner, colour in pairs for a, b in zip(corner, colour, strict=False))


def decoded(files: Mapping[str, bytes], folder: Path, *, rotation: int = 0) -> dict[str, Decoded]:
    """Each of `files` at its full size, by its name."""
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    environment = {**os.environ, "VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "1", "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "tests.formats.decoded", str(folder), str(rotation)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    assert {path.name for path in folder.iterdir()} == set(files), "no temporary file is left"
    return {name: _decoded_from(**facts) for name, facts in json.loads(answer).items()}


def _decoded_from(size_px: list[int], corners: list[list[int]], **others: Any) -> Decoded:
    width, height = size_px
    return Decoded(size_px=(width, height), corners=tuple(tuple(corner) for corner in corners), **others)


def _decode(path: Path, rotation: int) -> Decoded:
    from media_jobs.pipeline.decode import decode
    from media_jobs.pipeline.guard import guard
    from media_jobs.pipeline.probe import probe

    try:
        with probe(path, _LIMITS) as found:
            size_px = found.rotated_px(rotation)
            guard(found, _LIMITS, largest_px=size_px)
            image = decode(found, size_px, _LIMITS, rotation)
            points = [(size_px[0] * x // 4, size_px[1] * y // 4) for y in (1, 3) for x in (1, 3)]
            corners = tuple(tuple(round(value) for value in image.getpoint(*point)) for point in points)
            return Decoded("", "", found.format, (image.width, image.height), found.orientation, image.bands, corners)
    except errors.ImageRefused as refusal:
        return Decoded(refusal.code, str(refusal))


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmPeak")), 0)


def main(folder: Path, rotation: int) -> None:
    from media_jobs.pipeline.readers import vips

    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    vips.lock()
    answers = {}
    for path in sorted(folder.iterdir()):
        answers[path.name] = asdict(replace(_decode(path, rotation), peak_bytes=_peak_bytes()))
    print(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
