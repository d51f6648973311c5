"""The sandbox's real entry, for pictures that hold a poison in a JPEG comment: see `media_jobs.pipeline.__main__`.

All that is confined stays confined: the poisons act in the middle of a request, with no more rights than a decoder that
was taken over.
"""

import json
import os
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

ABORTS = b"chaos: abort"
LOOPS = b"chaos: loop"
EATS_MEMORY = b"chaos: eat memory"


def poisoned(jpeg: bytes, poison: bytes) -> bytes:
    """The picture with `poison` in a comment."""
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(poison) + 2) + poison + jpeg[2:]


def _loop() -> NoReturn:
    while True:
        pass


def _eat_memory() -> NoReturn:
    eaten = []
    while True:
        eaten.append(bytearray(16 * 1_048_576))


_ACTS: dict[bytes, Callable[[], NoReturn]] = {ABORTS: os.abort, LOOPS: _loop, EATS_MEMORY: _eat_memory}


def _render(real: Callable[..., Any], request: Any, *args: Any) -> Any:
    picture = Path(request.source).read_bytes()
    for poison, act in _ACTS.items():
        if poison in picture:
            act()
    return real(request, *args)


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from media_jobs.pipeline.child import loop, template

    answer = loop._answer
    loop._answer = lambda line, render, say: answer(line, partial(_render, render), say)
    template.begin(json.loads(sys.argv[1]))


if __name__ == "__main__":
    main()
