"""One thread per process that notices what happens to jobs, for all who wait for it there."""

import selectors
import threading
import time

import structlog
from django.db import connection

from media_jobs.adapters import database
from media_jobs.adapters.notices import Alarm, Notices, notices
from media_jobs.models import Job
from media_jobs.services.waiting import feed
from media_jobs.services.waiting.room import WaitingRoom

log = structlog.get_logger(__name__)

#: So often it looks without being told: a notice may be lost, as behind a pooler that does not hand LISTEN on.
LOOK_EVERY_S = 1.0
#: – while events are committed that cannot be read yet.
_UNSETTLED_S = 0.05
#: Not more often than this, however much happens: what came meanwhile is seen together.
_AT_LEAST_S = 0.02
#: With nobody waiting for so long, the connection is closed.
_IDLE_S = 60.0
_PAUSE_S = 1.0


class Listener(threading.Thread):
    """Looks at the jobs and at the history whenever there is news or somebody new, and tells `room` who can go on.

    It goes by what is true when it looks, and by no notice alone. Who has just come in is looked after at once, so
    nothing is lost between a request's own look and its wait. It has a database connection of its own, while anybody
    waits and a minute longer.
    """

    def __init__(self, room: WaitingRoom) -> None:
        super().__init__(name="listener", daemon=True)  # it may hang in a database that is away
        self._room, self._alarm, self._stopped = room, Alarm(), threading.Event()
        self._listening: Notices | None = None
        room.nudge = self._alarm.set

    def stop(self) -> None:
        self._stopped.set()
        self._alarm.set()

    def run(self) -> None:
        again_s = LOOK_EVERY_S
        try:
            while not self._stopped.is_set():
                try:
                    self._wait(again_s)
                    again_s = self._look()
                    self._stopped.wait(_AT_LEAST_S)
                except database.CONNECTION_ERRORS as error:
                    self._listening = None
                    database.discard_connection(error)
                    self._stopped.wait(_PAUSE_S)
                except Exception:
                    log.exception("listener_failed")
                    self._stopped.wait(_PAUSE_S)
        finally:
            connection.close()

    def _wait(self, again_s: float) -> None:
        """Return when it is time to look. Once it has begun to listen that is at once: nobody knows what was missed."""
        idle_at = time.monotonic() + _IDLE_S
        while not (self._room.count() or self._stopped.is_set()):
            self._sleep(max(0.0, idle_at - time.monotonic()) if self._listening else None)
            if time.monotonic() >= idle_at:
                self._listening = None
                connection.close()
        if self._listening is None:
            self._listening = notices()
        else:
            self._listening.wait(self._alarm, again_s)
        self._alarm.clear()  # whoever set it before is in the room already

    def _sleep(self, for_s: float | None) -> None:
        """Wait for somebody to come in, or for the stop."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._alarm, selectors.EVENT_READ)
            waiting.select(for_s)
        self._alarm.clear()

    def _look(self) -> float:
        """Tell everybody who can go on. Returns after how long to look again, if nothing is heard before."""
        self._look_at_jobs()
        streams = self._room.streams()
        if not streams:
            return LOOK_EVERY_S
        progress = feed.read(streams)
        for stream in progress.given:
            self._room.tell(stream)
        if progress.more:
            return 0
        return LOOK_EVERY_S if progress.settled else _UNSETTLED_S

    def _look_at_jobs(self) -> None:
        polls = self._room.polls()
        if not polls:
            return
        jobs = Job.objects.filter(pk__in={poll.job_id for poll in polls})
        now = {pk: (last_event, state) for pk, last_event, state in jobs.values_list("pk", "last_event", "state")}
        for poll in polls:
            if poll.job_id not in now or poll.is_answered_by(*now[poll.job_id]):  # it may have been deleted
                self._room.tell(poll)
