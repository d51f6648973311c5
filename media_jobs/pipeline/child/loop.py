"""The sandboxed process: one request a line in, answers as JSON lines out. It holds no credentials and no network.

Answers to a request: any number of `{"output": [done, of]}`, then one of `{"done": Rendered}`,
`{"refused": {"code", "sentence"}}` and `{"failed": text}`.
"""

import ctypes
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from media_jobs import errors
from media_jobs.pipeline.child.confine import confine
from media_jobs.pipeline.values import Request

Say = Callable[[dict[str, Any]], None]


def main(memory_bytes: int, parent_pid: int) -> None:
    """Serve requests until standard input ends."""
    confine(memory_bytes=memory_bytes, parent_pid=parent_pid)
    answers = _private_stdout()

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    # They load libvips: only within the limits.
    from media_jobs.pipeline import render  # noqa: PLC0415
    from media_jobs.pipeline.readers import vips  # noqa: PLC0415

    vips.lock()
    trim = _trimmer()
    for line in sys.stdin.buffer:
        _answer(line, render.render, say)
        trim()


def _private_stdout() -> BinaryIO:
    """The pipe to the parent, where nothing else can write: descriptor 1 becomes standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _answer(line: bytes, render: Callable[..., Any], say: Say) -> None:
    try:
        request = Request.from_json(json.loads(line))
        rendered = render(request, lambda done, of: say({"output": [done, of]}))
        say({"done": rendered.to_json()})
    except errors.ImageRefused as refusal:
        say({"refused": {"code": refusal.code, "sentence": str(refusal)}})
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more
    except Exception as error:  # noqa: BLE001  (the parent must get an answer, whatever it was)
        traceback.print_exc()
        say({"failed": " ".join(f"{type(error).__name__}: {error}".split())[:300]})


def _trimmer() -> Callable[[], None]:
    """Gives freed memory back to the system, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim else (lambda: None)
