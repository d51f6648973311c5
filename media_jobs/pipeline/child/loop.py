"""The sandboxed process: one request a line in, answers as JSON lines out. It holds no credentials and no network.

Its first line is `{"ready": {"protection", "libvips"}}`. Answers to a request: any number of
`{"output": [done, of]}`, then one of `{"done": Rendered or Measures}`, `{"refused": {"code", "sentence"}}`,
`{"needs": bytes}`, more memory than it may take, `{"lacks": code}`, what this machine has not, and `{"failed": text}`.
"""

import ctypes
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from media_jobs import errors
from media_jobs.pipeline.child.confine import confine
from media_jobs.pipeline.compare.values import CompareRequest, Measures
from media_jobs.pipeline.readers.damage import lacks_memory, lacks_room
from media_jobs.pipeline.values import Request

Say = Callable[[dict[str, Any]], None]

#: Up to so many pixels a picture leaves little memory behind: to return it, and to get it anew for the next one, would
#: cost a tenth of a render.
_SMALL_PIXELS = 1_000_000


def main(memory_bytes: int, parent_pid: int, readable: list[str], writable: list[str]) -> None:
    """Serve requests until standard input ends."""
    protection = confine(
        memory_bytes=memory_bytes,
        parent_pid=parent_pid,
        readable=map(Path, readable),
        writable=map(Path, writable),
    )
    answers = _private_stdout()

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    # They load libvips: only within the limits.
    import pyvips  # noqa: PLC0415

    from media_jobs.pipeline import render  # noqa: PLC0415
    from media_jobs.pipeline.readers import vips  # noqa: PLC0415

    say({"ready": {"protection": asdict(protection), "libvips": [pyvips.version(part) for part in range(3)]}})
    vips.lock()  # with a libvips that is too old it fails, and the parent knows why
    trim = trimmer()
    for line in sys.stdin.buffer:
        answer = _answer(line, render.render, say)
        if _is_worth_trimming(answer):
            trim()
        say(answer)


def _private_stdout() -> BinaryIO:
    """The pipe to the parent, where nothing else can write: descriptor 1 becomes standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _answer(line: bytes, render: Callable[..., Any], say: Say) -> dict[str, Any]:
    """The last answer to the request."""
    asked = json.loads(line)
    request = CompareRequest.from_json(asked) if "pairs" in asked else Request.from_json(asked)
    try:
        if isinstance(request, CompareRequest):
            done = _measured(request)
        else:
            done = render(request, lambda done, of: say({"output": [done, of]}))
        return {"done": done.to_json()}
    except (errors.ImageRefused, errors.NeedsRoom) as refusal:
        return _refused(refusal)
    except (errors.WorkspaceFull, errors.ComparingNotInstalled) as error:
        return {"lacks": error.code}
    except BrokenPipeError:
        os._exit(0)  # the parent is gone
    except Exception as error:  # noqa: BLE001  (the parent must get an answer, whatever it was)
        traceback.print_exc()
        if errors.is_disk_full(error) or lacks_room(str(error)):
            return {"lacks": errors.WorkspaceFull.code}
        if isinstance(error, MemoryError) or lacks_memory(str(error)):
            limit = request.limits.memory_bytes
            return _refused(errors.TooMuchMemory(needed_bytes=limit + 1, limit_bytes=limit))
        return {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:300]}


def _measured(request: CompareRequest) -> Measures:
    """scikit-image is loaded when it is first needed: renders do without. Raises ComparingNotInstalled."""
    try:
        from media_jobs.pipeline.compare.measuring import measure  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise errors.ComparingNotInstalled from error
    return measure(request)


def _refused(refusal: errors.ImageRefused | errors.NeedsRoom) -> dict[str, Any]:
    if isinstance(refusal, errors.NeedsRoom):
        return {"needs": refusal.grown_bytes}
    return {"refused": {"code": refusal.code, "sentence": str(refusal)}}


def _is_worth_trimming(answer: dict[str, Any]) -> bool:
    """Whether the picture may have left much free memory behind. One that was refused may."""
    rendered = answer.get("done")
    if not rendered or "pairs" in rendered:
        return True
    pictures = (rendered, *rendered["outputs"])
    return any(picture["width_px"] * picture["height_px"] > _SMALL_PIXELS for picture in pictures)


def trimmer() -> Callable[[], None]:
    """Gives freed memory back to the system, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim else (lambda: None)
