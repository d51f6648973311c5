"""gunicorn's threaded worker, in which no client takes a thread, or the event loop, while it does nothing."""

import errno
import resource
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.core.signals import request_finished
from gunicorn.workers.gthread import TConn

from media_jobs.adapters.kept_connections import close_surplus
from media_jobs.runtime import memory
from media_jobs.runtime.http import heads, pace, refusals
from media_jobs.runtime.http.admission import Admission
from media_jobs.runtime.http.answering import AnsweringWorker
from media_jobs.runtime.http.arrivals import Arrivals, Arriving, Outcomes
from media_jobs.runtime.http.closer import Closer
from media_jobs.runtime.http.paced_socket import PacedSocket
from media_jobs.runtime.http.sender import Sender
from media_jobs.runtime.metrics_server import MetricsServer
from media_jobs.runtime.parked_sockets import ParkedSocket, ParkedSockets
from media_jobs.services import metrics
from media_jobs.services.metrics.own import count_answer
from media_jobs.services.waiting.listener import Listener

if TYPE_CHECKING:
    from media_jobs.runtime.workers.beside_web import SlotsBesideWeb

log = structlog.get_logger(__name__)

#: What probes ask for, and how many threads each has to itself: they are answered whatever all others wait for.
PROBES = {b"/healthz": 1, b"/readyz": 2, b"/metrics": 1}
#: Requests that have or wait for a thread; more are refused.
_MOST_REQUESTS = 1000
_ACCEPTED_AT_ONCE = 32
_OPEN_FILES = 65_536
#: How long a stopping server keeps connections on which no request has begun, and closes others with patience.
_LINGER_S = 2.0


class WebWorker(AnsweringWorker):
    """The event loop reads until a request is worth a thread; other threads send what clients do not take, and close.

    A connection is with one of them at a time: `arrivals`, a thread of a pool, `parking`, `sender` or `closer`.
    The event loop hands it from one to the next: whoever ends with it tells the loop last.
    """

    def init_process(self) -> None:
        _allow_many_connections()
        request_finished.connect(close_surplus)
        limits = pace.configured()
        self.pace = limits.pace
        longest = max(settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES)
        self.closer = Closer(limits.pace, at_most_bytes=2 * longest)
        self.sender = Sender(limits.pace)
        self.parking = ParkedSockets(settings.MAX_WAITERS, resume=self._resume, closed=self._forget)
        self.listener = Listener(self.parking.room)
        self.probe_pools = {path: ThreadPoolExecutor(count, "probe") for path, count in PROBES.items()}
        self.admission = Admission(self.cfg.threads)
        self.requests = 0
        self._limits = limits
        self.slots = _slots(self.app.slots) if self.app.slots else None
        for thread in (self.closer, self.sender, self.parking, self.listener):
            thread.start()
        if settings.METRICS_PORT:
            MetricsServer(metrics.all_metrics, settings.METRICS_PORT).start()
        super().init_process()  # runs the worker to its end

    def run(self) -> None:
        outcomes = Outcomes(self._start, self._refuse, self._gone)
        self.arrivals = Arrivals(self.poller, self._limits, outcomes)
        if self.slots:
            self.slots.start()  # not before: what it starts would inherit that signals are blocked
        try:
            super().run()
            _wait_until(self.closer.is_idle, _LINGER_S)
        finally:
            self.listener.stop()
            for thread in (self.parking, self.sender, self.closer):
                thread.end()
            if self.slots:
                self.slots.end()

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.slots:
            self.slots.stop()
        self.parking.stop()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        if self.slots:
            self.slots.stop(at_once=True)
        super().handle_quit(sig, frame)

    def handle_abort(self, sig: int, frame: Any) -> None:
        if self.slots:
            self.slots.stop(at_once=True)
        super().handle_abort(sig, frame)

    # --- on the event loop ------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, client = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE) and not self.arrivals.evict():
                    log.warning("open_files_exhausted")
                return
            self.nr_conns += 1
            conn = TConn(self.cfg, PacedSocket.of(accepted), client, listener.getsockname())
            if self.nr_conns >= self.worker_connections:
                self.arrivals.evict()
            self.arrivals.add(conn)

    def _start(self, arriving: Arriving) -> None:
        """A request has arrived as far as is needed: give it a thread as soon as it may have one."""
        conn, head = arriving.connection, arriving.head
        self.admission.leave_line(conn)
        if head and head.path in self.probe_pools and arriving.is_whole:
            self._begin(arriving, self.probe_pools[head.path])
        elif self.requests >= _MOST_REQUESTS:
            self._refuse(arriving, "overloaded")
        elif arriving.is_whole:
            self._begin(arriving, self.tpool)
        else:
            is_quick = arriving.is_quick and not (head and head.expects_continue)
            start, refuse = partial(self._begin, arriving, self.tpool), partial(self._refuse_upload, arriving)
            if self.admission.ask(conn, is_quick=is_quick, start=start, refuse=refuse):
                self.arrivals.keep(arriving)

    def _begin(self, arriving: Arriving, pool: ThreadPoolExecutor) -> None:
        conn = arriving.connection
        self.arrivals.release(conn)
        conn.init()
        conn.sock.path = heads.path_of(arriving.data)
        conn.parser.unreader.unread(bytes(arriving.data))
        self._submit(pool, conn, self.handle)

    def _submit(self, pool: ThreadPoolExecutor, conn: Any, answer: Callable[[Any], Any], given: Any = None) -> None:
        self.requests += 1
        conn.sock.begin(self.pace)
        future = pool.submit(answer, given or conn)
        future.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        self.requests -= 1
        if self.admission.ended(conn):
            memory.give_back()
        ended = False if fs.cancelled() or fs.exception() else fs.result()
        if isinstance(ended, ParkedSocket):
            self.parking.adopt(ended)
        elif conn.sock.has_unsent:
            self.sender.adopt(conn.sock, partial(self.method_queue.defer, self._was_sent, conn, ended))
        else:
            self._go_on(conn, ended)

    def _was_sent(self, conn: Any, can_go_on: bool, was_sent: bool) -> None:
        if was_sent:
            self._go_on(conn, can_go_on)
        else:
            self._gone(conn)

    def _go_on(self, conn: Any, can_go_on: bool) -> None:
        """Wait for the next request of a connection, or close it."""
        if can_go_on:
            self.arrivals.add(conn, conn.parser.unreader.take_buffered())
        else:
            self._close(conn)

    def _resume(self, parked: ParkedSocket) -> None:
        self.method_queue.defer(self._submit, self.tpool, parked.connection, self._answer, parked)

    def _refuse_upload(self, arriving: Arriving) -> None:
        self.arrivals.release(arriving.connection)
        self._refuse(arriving, "too_many_uploads")

    def _refuse(self, arriving: Arriving, code: str) -> None:
        path = heads.path_of(arriving.data)
        log.info("request_refused", code=code, path=path[:200])
        count_answer(refusals.status_of(code))
        self._close(arriving.connection, refusals.answer(code, path))

    def _close(self, conn: Any, last_words: bytes = b"") -> None:
        self.admission.leave_line(conn)
        self.nr_conns -= 1
        self.closer.adopt(conn.sock, last_words)

    def _gone(self, conn: Any) -> None:
        self.admission.leave_line(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self) -> None:
        self.method_queue.defer(self._count_down)

    def _count_down(self) -> None:
        self.nr_conns -= 1

    # --- what gunicorn calls at each turn, and when it stops --------------------------------------

    def murder_keepalived(self, force: bool = False) -> None:
        self.arrivals.expire(at_once=force)
        self.admission.expire(at_once=force)

    def murder_pending(self) -> None:
        """What arrives is one with what is kept alive."""

    def _cap_keepalive(self, deadline: float) -> None:
        """The server stops: take who has connected already, then close the door, so that all others go elsewhere."""
        for listener in self.sockets:
            self.accept(listener)
            listener.close()
        self.arrivals.close_silent(deadline - time.monotonic())


def _slots(count: int) -> "SlotsBesideWeb":
    from media_jobs.runtime.workers.beside_web import SlotsBesideWeb  # noqa: PLC0415  (loads much; few need it)

    return SlotsBesideWeb(count)


def _wait_until(condition: Callable[[], bool], at_most_s: float) -> None:
    deadline_s = time.monotonic() + at_most_s
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.02)


def _allow_many_connections() -> None:
    """Raise the limit of open files: each connection is one, and systems allow 1,024 by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
