"""`manage.py` with faults: `python -m tests.chaos.dying.crashing serve` is the product as it is, that dies on demand.

Named functions of the product are wrapped from outside. A fault waits at the beginning or the end of such a function
until somebody arms its point; then it happens once, in whichever process comes by first. The folder in `CHAOS_POINTS`
says which points there are (`points.json`, read at the start) and which of them are armed (a file each).
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Any

#: What Python runs in place of `manage.py`.
PROGRAM = ("-m", "tests.chaos.dying.crashing")
_FOLDER = "CHAOS_POINTS"
_FROZEN_SLICE_S = 0.02
_POINTS, _CONSTANTS = "points.json", "constants.json"
#: A picture that holds these bytes kills the worker that is about to render it, every time.
KILLS_WORKERS = b"chaos: kill the worker"


class Fault(StrEnum):
    DIE = "die"  #: SIGKILL
    FREEZE = "freeze"  #: the thread stands still until it is thawed; the others of its process go on
    FAIL = "fail"  #: an exception that nobody expects


class Injected(Exception):
    """What an armed point of the kind FAIL raises."""


@dataclass(frozen=True, slots=True)
class Point:
    """A moment in the life of a process: when `function` is entered, or left without an exception.

    function: the dotted path by which its callers find it. process: the first letters of its title.
    nth: at which call, counted over all processes since the point was armed.
    """

    name: str
    function: str
    process: str
    after: bool = False
    nth: int = 1
    fault: Fault = Fault.DIE


class Faults:
    """A service's points as its tests see them. constants: values of the product's to be changed, by dotted path."""

    def __init__(self, folder: Path, points: tuple[Point, ...], *, constants: Mapping[str, Any] | None = None) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self._points = {point.name: point for point in points}
        assert len(self._points) == len(points), "two points have the same name"
        (folder / _POINTS).write_text(json.dumps([asdict(point) for point in points]))
        (folder / _CONSTANTS).write_text(json.dumps(dict(constants or {})))

    @property
    def env(self) -> dict[str, str]:
        return {_FOLDER: str(self._folder)}

    def arm(self, name: str) -> None:
        self._file(name, 0).unlink(missing_ok=True)
        self._file(name, self._points[name].nth).touch()

    def thaw(self, name: str) -> None:
        """Let go on what is frozen there."""
        self._file(name, 0).unlink()

    def has_happened(self, name: str) -> bool:
        """Whether it has happened since the point was armed last."""
        happened = self._file(name, 0)
        return happened.exists() and happened.stat().st_size > 0

    def victim(self, name: str) -> int:
        """The process that it happened to."""
        return int(self._file(name, 0).read_text())

    def _file(self, name: str, left: int) -> Path:
        return _file(self._folder, name, left)


def _file(folder: Path, name: str, left: int) -> Path:
    return folder / f"{name}.{left}"


def _is_hit(folder: Path, point: Point) -> bool:
    """Count one call. True when it was the one that the point waits for; only one of all processes hears that."""
    if not _title().startswith(point.process):
        return False
    for left in range(point.nth, 0, -1):
        counted = _file(folder, point.name, left - 1)
        with contextlib.suppress(FileNotFoundError):
            _file(folder, point.name, left).rename(counted)
            if left == 1:
                counted.write_text(str(os.getpid()))
            return left == 1
    return False


def _title() -> str:
    return Path("/proc/self/comm").read_text().removeprefix("gallimg-").strip()


def _happen(folder: Path, point: Point) -> None:
    said = {"event": "chaos", "point": point.name, "pid": os.getpid(), "level": "warning"}
    sys.stderr.write(json.dumps({**said, "timestamp": datetime.now(UTC).isoformat()}) + "\n")
    sys.stderr.flush()
    if point.fault is Fault.FAIL:
        raise Injected(point.name)
    if point.fault is Fault.DIE:
        os.kill(os.getpid(), signal.SIGKILL)
    while _file(folder, point.name, 0).exists():
        time.sleep(_FROZEN_SLICE_S)


def resolve(path: str) -> tuple[Any, str, Any]:
    """Resolve a dotted path: owner, name, value. Raises LookupError or AttributeError, so that no fault is idle."""
    names = path.split(".")
    for length in range(len(names) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(names[:length]))
        except ModuleNotFoundError:
            continue
        for name in names[length:-1]:
            owner = getattr(owner, name)
        return owner, names[-1], getattr(owner, names[-1])
    raise LookupError(path)


def _set(path: str, value: Any) -> None:
    owner, name, _ = resolve(path)
    try:
        setattr(owner, name, value)
    except FrozenInstanceError:
        object.__setattr__(owner, name, value)


def _wrap(folder: Path, point: Point) -> None:
    owner, name, function = resolve(point.function)

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not point.after and _is_hit(folder, point):
            _happen(folder, point)
        result = function(*args, **kwargs)
        if point.after and _is_hit(folder, point):
            _happen(folder, point)
        return result

    setattr(owner, name, wrapped)


def _kill_by_picture() -> None:
    owner, name, render = resolve("media_jobs.adapters.decoder.sandbox.Sandbox.render")

    @wraps(render)
    def wrapped(self: Any, request: Any, **kwargs: Any) -> Any:
        if KILLS_WORKERS in Path(request.source).read_bytes():
            os.kill(os.getpid(), signal.SIGKILL)
        return render(self, request, **kwargs)

    setattr(owner, name, wrapped)


def _poison_decoder() -> None:
    from tests.chaos.dying import poisoned_decoder

    _set("media_jobs.adapters.decoder.starting.ENTRY", Path(poisoned_decoder.__file__))


def main(run: Callable[[list[str]], None], folder: Path) -> None:
    """Call `run` with the command line once all faults are in place."""
    import django

    django.setup()
    for path, value in json.loads((folder / _CONSTANTS).read_text()).items():
        _set(path, value)
    _kill_by_picture()
    _poison_decoder()
    for described in json.loads((folder / _POINTS).read_text()):
        _wrap(folder, Point(**{**described, "fault": Fault(described["fault"])}))
    run(sys.argv)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallimg_site.settings")
    from django.core.management import execute_from_command_line

    main(execute_from_command_line, Path(os.environ[_FOLDER]))
