"""A decoder that stands still in the middle of a picture, in a whole service, however late one looks.

Its worker stops for a moment when it has woken the decoder and not yet told it of the picture: then is the time to stop
the decoder, whose worker goes on and waits for it.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.chaos.dying.crashing import Fault, Faults, Point
from tests.e2e.service import wait_until

_Sent = TypeVar("_Sent")
_WOKEN = "decoder woken"


def holding(folder: Path, worker: str = "worker") -> Faults:
    """For a service that runs `crashing.PROGRAM` with `Faults.env`. worker: the process that has the slots."""
    signal_decoder = "media_jobs.adapters.decoder.process.DecoderProcess._signal"
    return Faults(folder, (Point(_WOKEN, signal_decoder, worker, after=True, fault=Fault.FREEZE),))


def held(faults: Faults, send: Callable[[], _Sent]) -> tuple[_Sent, int]:
    """What `send` returns, which uploads the next picture, and the process id of the decoder that is to render it."""
    faults.arm(_WOKEN)
    sent = send()
    wait_until(lambda: faults.has_happened(_WOKEN), 60, "a picture in hand")
    [decoder] = decoders(faults.victim(_WOKEN))
    os.kill(decoder, signal.SIGSTOP)
    faults.thaw(_WOKEN)
    return sent, decoder


def decoders(worker: int) -> list[int]:
    """The process ids of the worker's children that run a decoder."""
    of_threads = Path(f"/proc/{worker}/task").glob("*/children")
    children = [int(pid) for pid in " ".join(path.read_text() for path in of_threads).split()]
    return [pid for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "gallimg-decoder"]
