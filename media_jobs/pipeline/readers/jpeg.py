"""JPEG through libvips.

libjpeg tells of its first warning only. Where that one is harmless, what it hides is looked into here.
"""

import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyvips

from media_jobs.pipeline.formats.common import mapped
from media_jobs.pipeline.formats.pixels import jpeg_oddities, jpeg_scans
from media_jobs.pipeline.readers import repair, vips
from media_jobs.pipeline.readers.damage import is_stray

#: What libjpeg warns of although every pixel may be there.
_HARMLESS = (
    "extraneous bytes",
    "Adobe color transform",
    "unknown JFIF revision",
    "progression sequence",
    "SOS parameters",
)
_NO_END = "premature end of JPEG"
_COUNT = re.compile(r"read gave (\d+) warnings")
#: Lost sectors hit a few pieces of a picture. Where nearly all are odd, it was written so, and is shown so everywhere.
_WRITTEN_SO = 0.9

Finish = Callable[[pyvips.Image], pyvips.Image]  #: takes what libvips opened, and reads all of its pixels


def read(path: Path, finish: Finish, **options: Any) -> pyvips.Image:
    """The picture as `finish` makes it. Raises pyvips.Error where pixels are damaged or missing."""
    try:
        return _strictly(path, finish, **options)
    except pyvips.Error as error:
        said = str(error)
        if any(words in said for words in _HARMLESS):
            vips.warned()
            picture = finish(vips.load("jpeg", str(path), fail_on="error", **options))
            if not _is_whole(path, said, _warnings(vips.warned())):
                raise
            return picture
        if _NO_END not in said:
            raise
        with tempfile.NamedTemporaryFile() as copy:
            if not repair.close_jpeg(path, Path(copy.name)):
                raise
            with suppress(pyvips.Error):  # then what was said first is what ails it
                return _strictly(Path(copy.name), finish, **options)
        raise


def _strictly(path: Path, finish: Finish, **options: Any) -> pyvips.Image:
    """Raises pyvips.Error at the first warning."""
    vips.noted()
    picture = finish(vips.load("jpeg", str(path), fail_on="warning", **options))
    # libvips looks for warnings before it reads on: what the last eight lines lack, only its notes tell.
    if said := vips.noted():
        raise pyvips.Error("damaged at its end", said)
    return picture


def _warnings(said: list[str]) -> int:
    """How many warnings libjpeg had, although it told one."""
    counts = (int(count[1]) for line in said if (count := _COUNT.search(line)))
    return max(counts, default=0)


def _is_whole(path: Path, said: str, warnings: int) -> bool:
    """Whether all that libjpeg warned of, `warnings` times, is harmless. `said`: its first warning."""
    with mapped(path) as data:
        odd = jpeg_oddities.count(data)
        if warnings and warnings == odd:
            return True
        if warnings == odd + 1 and "extraneous bytes" in said:
            return is_stray(said)
        scan = jpeg_scans.scan(data)
        if scan is None or not scan.in_order:
            return False
        with tempfile.NamedTemporaryFile() as file:
            trial = _Trial(Path(file.name), scan, data)
            return trial.all_are_whole() if scan.restarts else trial.is_whole()


class _Trial:
    """Decodes the pieces between a picture's restart markers, each for itself."""

    def __init__(self, path: Path, scan: jpeg_scans.Scan, data: Any) -> None:
        self._path, self._scan, self._data = path, scan, data

    def is_whole(self) -> bool:
        """Whether the picture is, once its odd headers are out of the way."""
        said = self._said(self._scan.whole(self._data))
        return not said or is_stray(said)

    def all_are_whole(self) -> bool:
        pieces = len(self._scan.pieces)
        damaged = self._damaged(0, pieces - 1) + self._damaged(pieces - 1, 1)
        return damaged == 0 or damaged > _WRITTEN_SO * pieces

    def _damaged(self, first: int, count: int) -> int:
        """How many of some pieces are damaged. Those that decode without a word are done with together."""
        if count == 0:
            return 0
        file = self._scan.alone(self._data, first, count)
        said = self._said(file) if file else "too long"
        if not said:
            return 0
        if count == 1:
            return not is_stray(said)
        half = count // 2
        return self._damaged(first, half) + self._damaged(first + half, count - half)

    def _said(self, file: bytes) -> str:
        self._path.write_bytes(file)
        try:
            _strictly(self._path, lambda image: image.copy_memory())
        except pyvips.Error as error:
            return str(error)
        return ""
