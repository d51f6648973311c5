"""The run: sends each input through one of two decoders and notes what became of it."""

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from structlog.testing import capture_logs

from media_jobs import errors
from media_jobs.pipeline.recipes import Chroma, Crop, Fit, Format, Preset, Rendition
from media_jobs.pipeline.values import Focus, Keep, Limits, Overrides, Request
from tests import worker_pool
from tests.fuzz.mutate import Recipe

LIMITS = Limits(raw_preview_px=30)  # seeds are tiny; what is damaged to be smaller goes on to LibRaw
TIMEOUT_S = 2.0
#: A machine that is busy with other things is no finding.
_MORE_TIME = 5
_RENDITIONS = (
    Rendition("jpeg", 24),
    Rendition("cover", 16, Fit.COVER, Format.AUTO, crop=Crop.ATTENTION),
    Rendition("webp", 24, format=Format.WEBP, effort=0),
    Rendition("png", 20, Fit.WIDTH, Format.PNG, effort=1),
    Rendition("source", 24, format=Format.SOURCE, effort=0, chroma=Chroma.FULL),
    Rendition("jpeg-enlarged", 48, progressive=True, enlarge=True),
    Rendition("avif", 16, format=Format.AVIF, effort=0),
)
_KEEP_ALL = Keep(timestamps=True, camera_info=True, gps=True, device_serial=True)


@dataclass(frozen=True, slots=True)
class Tried:
    """`outcome`: `rendered`, the code of a refusal, or else a finding, which `how` describes."""

    recipe: Recipe
    outcome: str
    how: str = ""
    left_behind: tuple[str, ...] = ()
    idle_bytes: int = 0  #: resident memory of the decoder when done, where that can be seen
    log: str = ""

    @property
    def is_finding(self) -> bool:
        return bool(self.how or self.left_behind)


def run(recipes: Iterable[Recipe], folder: Path, *, timeout_s: float = TIMEOUT_S) -> Iterator[Tried]:
    """Results as they come; nothing is logged meanwhile."""
    with capture_logs():
        yield from worker_pool.map_unordered(
            partial(_try, timeout_s), recipes, folder, memory_bytes=LIMITS.memory_bytes
        )


def again(found: Tried, folder: Path) -> Tried:
    """Try the same input alone, with a new decoder and more time, its steps reduced to those that matter."""
    best = _alone(found.recipe, folder)
    if not best.is_finding:
        return best
    for step in found.recipe.steps:
        fewer = replace(found.recipe, steps=tuple(kept for kept in best.recipe.steps if kept != step))
        less = _alone(fewer, folder)
        if less.is_finding and less.outcome == best.outcome:
            best = less
    return best


def _alone(recipe: Recipe, folder: Path) -> Tried:
    worker = worker_pool.Worker(folder, LIMITS.memory_bytes)
    try:
        with capture_logs() as logged:
            tried = _try(TIMEOUT_S * _MORE_TIME, worker, recipe)
    finally:
        worker.sandbox.close()
        shutil.rmtree(worker.folder)
    return replace(tried, log="\n".join(str(entry.get("stderr", "")) for entry in logged))


def _try(timeout_s: float, worker: worker_pool.Worker, recipe: Recipe) -> Tried:
    source, into = worker.folder / "source", worker.folder / "into"
    source.write_bytes(recipe.make())
    into.mkdir()
    outcome, how = _outcome(worker, _request(recipe.number, source, into), timeout_s)
    source.unlink()
    shutil.rmtree(into)
    left_behind = tuple(str(path.relative_to(worker.folder)) for path in worker.folder.rglob("*") if not path.is_dir())
    return Tried(recipe, outcome, how, left_behind, _resident_bytes(worker.sandbox.pid))


def _outcome(worker: worker_pool.Worker, request: Request, timeout_s: float) -> tuple[str, str]:
    try:
        worker.sandbox.render(request, timeout_s=timeout_s, heartbeat=lambda: None, on_output=lambda done, of: None)
    except errors.PrivacyLeak as error:
        return error.code, str(error)
    except errors.ImageRefused as error:
        return error.code, ""
    except errors.MediaError as error:
        return error.code, str(error)
    except Exception as error:  # noqa: BLE001  (that would be a finding, too)
        return "unexpected", f"{type(error).__name__}: {error}"
    return "rendered", ""


def _request(number: int, source: Path, into: Path) -> Request:
    """A small request; over a run every rendition meets every kind of file."""
    rendition = _RENDITIONS[number // 16 % len(_RENDITIONS)]
    overrides = Overrides(rotation=number % 4 * 90, focus=Focus(0.9, 0.1) if number % 3 else None)
    keep = _KEEP_ALL if number % 2 else Keep()
    return Request(str(source), str(into), "0" * 64, Preset("fuzz", (rendition,)), LIMITS, keep, overrides)


def _resident_bytes(pid: int | None) -> int:
    if pid is None or sys.platform != "linux":
        return 0
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0
