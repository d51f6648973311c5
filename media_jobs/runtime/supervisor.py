"""One master for all processes of a machine: gunicorn's arbiter, which also restarts the other processes.

The master loads the application once and forks it. It has no thread, no database connection and no decoder of its own.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from gunicorn import glogging, sock
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http.unreader import SocketUnreader

from media_jobs.runtime.children import SIGNALS, Child, Closable, become_child, fork, leave
from media_jobs.runtime.web_worker import WebWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = structlog.get_logger(__name__)

#: How long running requests and jobs may take once a stop was requested.
GRACE_S = 25.0
#: How long the queue server may take to write its data.
LAST_GRACE_S = 5.0
#: Connections at once, beside those that wait. Of more, those are closed on which no request has begun.
_CONNECTIONS = 2500
#: How much of a body is read from its socket at once. gunicorn's own 1 MB, held three times, took 80 MB for 30 uploads.
_BODY_READ_BYTES = 65_536


class WebLogger(glogging.Logger):  # type: ignore[misc]
    """Hands gunicorn's messages to the service's own logging, which decides on format, level and place."""

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        self.error_log.propagate = self.access_log.propagate = True

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """django-structlog logs requests."""

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log without a traceback where a client was too slow."""
        if isinstance(sys.exc_info()[1], TimeoutError):
            self.debug(msg, *args)
        else:
            super().exception(msg, *args, **kwargs)


class WebApplication(BaseApplication):  # type: ignore[misc]
    """gunicorn's settings for one web process with `threads` threads on a socket that listens already.

    waiters: how many connections may wait without a thread, beside all others. slots: how many pictures it works on
    itself. inherited: what the master holds open and the web process must not.
    """

    def __init__(
        self,
        load: "Callable[[], WSGIApplication]",
        *,
        listener: socket.socket,
        threads: int,
        waiters: int,
        slots: int = 0,
        inherited: Sequence[Closable] = (),
    ) -> None:
        self._load, self._listener, self._inherited = load, listener, inherited
        self._threads, self._waiters, self.slots = threads, waiters, slots
        super().__init__()

    def load(self) -> "WSGIApplication":
        return self._load()

    def load_config(self) -> None:
        chosen = {
            "bind": f"fd://{self._listener.detach()}",
            "workers": 1,
            "worker_class": WebWorker,
            "threads": self._threads,
            "worker_connections": _CONNECTIONS + self._waiters,
            "preload_app": True,
            "keepalive": settings.KEEP_ALIVE_S,
            # Nobody chooses by a header how gunicorn sees a request. What proxies say is for Django.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "timeout": 60,
            "graceful_timeout": int(GRACE_S),
            "logger_class": WebLogger,
            "control_socket_disable": True,
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108 # nosec B108 # no disk behind it
            "post_fork": self._after_fork,
            "post_worker_init": _when_signals_are_handled,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def _after_fork(self, arbiter: Any, worker: Any) -> None:
        become_child("gallimg-web", arbiter.pid)
        SocketUnreader.max_body_chunk = _BODY_READ_BYTES
        for thing in self._inherited:
            thing.close()


def _when_signals_are_handled(worker: Any) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


class Supervisor(Arbiter):  # type: ignore[misc]
    """Runs the web process and `children` until a signal says stop. `run()` ends with SystemExit(0).

    children: started in this order, stopped together with the web process. last: stopped after all others; it may
    run already.
    """

    def __init__(self, app: WebApplication, children: Sequence[Child], *, last: Sequence[Child] = ()) -> None:
        self.web = Child("web", lambda: None)
        self.children, self.last = list(children), list(last)
        self.stopping = False
        self.LISTENERS: list[Any] = []
        super().__init__(app)

    # --- starting ---------------------------------------------------------------------------------

    def manage_workers(self) -> None:
        """Start what is missing. gunicorn calls it once a second and after each signal."""
        if self.stopping:
            return
        for child in self.last:
            self._start_if_due(child)
        if not self.WORKERS and self.web.is_due():
            self.web.started(self.spawn_worker())
        for child in self.children:
            self._start_if_due(child)

    def _start_if_due(self, child: Child) -> None:
        if child.is_due():
            title = child.name if child.name == "valkey" else f"gallimg-{child.name}"
            child.started(fork(title, child.run, close=[*self.LISTENERS, *self.app._inherited]))

    def spawn_worker(self) -> int:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid: int = super().spawn_worker()
        except SystemExit as stop:  # only the fork gets here
            leave(stop.code if isinstance(stop.code, int) else 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid

    def reap_workers(self) -> None:
        """Reap children that have ended. Unlike gunicorn's, no exit code of the web process stops the master."""
        while ended := _next_ended():
            pid, status = ended
            if worker := self.WORKERS.pop(pid, None):
                worker.tmp.close()
            for child in (self.web, *self.children, *self.last):
                if child.pid == pid:
                    child.ended(status, quietly=self.stopping)

    # --- stopping ---------------------------------------------------------------------------------

    def stop(self, graceful: bool = True) -> None:
        """Stop everything: the web process takes no more requests, workers finish or requeue, the queue stops last."""
        if self.stopping:
            return
        self.stopping = True
        log.info("stopping")
        sock.close_sockets(self.LISTENERS, unlink=False)
        self.LISTENERS = []
        self._end((self.web, *self.children), GRACE_S)
        self._end(self.last, LAST_GRACE_S)
        log.info("stopped")

    def _end(self, children: Iterable[Child], grace_s: float) -> None:
        alive = [child for child in children if child.pid]
        _signal_all(alive, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        killed = False
        while alive := [child for child in alive if child.pid]:
            if not killed and (time.monotonic() > deadline or self._is_asked_again()):
                log.warning("killing", processes=[child.name for child in alive])
                _signal_all(alive, signal.SIGKILL)
                killed = True
            time.sleep(0.02)
            self.reap_workers()

    def _is_asked_again(self) -> bool:
        """Whether somebody pressed Ctrl-C a second time."""
        try:
            while True:
                if self.SIG_QUEUE.get_nowait() in (signal.SIGINT, signal.SIGQUIT):
                    return True
        except Empty:
            return False

    def handle_stop(self) -> None:
        raise StopIteration

    def handle_ignored(self) -> None:
        """One web process, one configuration: nothing to add, reload or replace while running."""

    handle_term = handle_int = handle_quit = handle_hup = handle_stop
    handle_usr1 = handle_usr2 = handle_ttin = handle_ttou = handle_winch = handle_ignored


def _next_ended() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _signal_all(children: Iterable[Child], number: signal.Signals) -> None:
    for child in children:
        if child.pid:
            os.kill(child.pid, number)
