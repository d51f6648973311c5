"""A command that works with processes of its own, until its work is over or somebody stops it."""

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from media_jobs.management.progress import ProgressLines
from media_jobs.management.signals import SIGNALS
from media_jobs.runtime.workers.group import NextJob, WorkerGroup

TURN_EVERY_S = 1.0
LOOK_EVERY_S = 0.1


class OwnWorkers(ABC):
    """Workers that call `next_job`. stopped_by: the signal by which somebody ended it early, else 0."""

    def __init__(self, next_job: NextJob, *, renders: int, shown: ProgressLines) -> None:
        self.stopped_by = 0
        self._asked = 0  # to stop
        self._shown = shown
        self._group = WorkerGroup(renders, next_job, quiet=shown.has_bar)

    @abstractmethod
    def _goes_on(self) -> bool:
        """Keep the workers alive, or have them stop; False when none is left to wait for."""

    @abstractmethod
    def _turn(self) -> None:
        """Look how far it is, once a second."""

    @abstractmethod
    def _show(self) -> None:
        """Show how far it is."""

    def _work(self) -> None:
        """Work until it is over, and no worker is left."""
        try:
            with self._signals():
                turn_at_s = 0.0
                while self._goes_on():
                    if time.monotonic() >= turn_at_s:
                        self._turn()
                        turn_at_s = time.monotonic() + TURN_EVERY_S
                    self._show_log()
                    self._show()
                    time.sleep(LOOK_EVERY_S)
        finally:
            self._show_log()
            self._group.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: object) -> None:
        """Stop: first the pictures in hand may end, the next time they are handed back at once."""
        self.stopped_by = self.stopped_by or number
        self._asked += 1
        if self._asked == 1:
            self._group.stop()
        else:
            self._group.hurry()

    def _show_log(self) -> None:
        if lines := self._group.log():
            self._shown.say(lines)
