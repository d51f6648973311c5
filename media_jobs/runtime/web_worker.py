"""gunicorn's threaded worker, in which a request that waits takes no thread: its connection is parked."""

import resource
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import close_old_connections
from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from media_jobs.runtime.parked_sockets import ParkedSocket, ParkedSockets
from media_jobs.services.waiting.listener import Listener
from media_jobs.services.waiting.room import ENVIRON
from media_jobs.services.waiting.waits import Parked, Poll

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: A client that takes nothing of its answer for so long gives the thread back.
_STALL_S = 30.0
_OPEN_FILES = 65_536
#: What a request ends with when its connection was handed over, and when it is closed already.
_PARKED, _CLOSED = object(), object()


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """Parks the connection of a request that leaves the application by `Parked`, and answers it when it is time."""

    def init_process(self) -> None:
        _allow_many_connections()
        self.parking = ParkedSockets(settings.MAX_WAITERS, resume=self._resume, closed=self._forget)
        self.listener = Listener(self.parking.room)
        self.parking.start()
        self.listener.start()
        super().init_process()  # runs the worker to its end

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.listener.stop()
            self.parking.end()

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.parking.stop()
        super().handle_exit(sig, frame)

    def load_wsgi(self) -> None:
        super().load_wsgi()
        application: WSGIApplication = self.wsgi

        def with_room(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            environ[ENVIRON] = self.parking.room
            return application(environ, start_response)

        self.wsgi: WSGIApplication = with_room

    # --- in a thread of the pool ------------------------------------------------------------------

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Whether the connection can be used again; `_PARKED` where another thread has it."""
        try:
            return super().handle_request(req, conn)
        except Parked as parked:
            self.parking.adopt(ParkedSocket(conn, req, parked.wait, chunked=req.version > (1, 0)))
            return _PARKED

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        return keepalive if keepalive is _PARKED else super()._keepalive_after(conn, keepalive)

    def _answer(self, parked: ParkedSocket) -> Any:
        """Answer a poll. True where its connection can be used again."""
        conn, req, poll = parked.connection, parked.request, parked.wait
        assert isinstance(poll, Poll)  # noqa: S101  (streams never come back)
        try:
            close_old_connections()  # as Django does around each request
            finished = poll.finish()
            close_old_connections()
            conn.sock.settimeout(_STALL_S)
            answer = wsgi.Response(req, conn.sock, self.cfg)
            if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
                answer.force_close()
            answer.start_response(finished.status, finished.headers)
            answer.write(finished.body)
            answer.close()
            if self._keepalive_after(conn, not answer.should_close()):
                return True
        except OSError as error:
            self.log.debug("The client of a poll has gone: %s", error)
        except Exception:
            self.log.exception("An answer that waited cannot be sent")
        # Here, and not on the worker's one event loop, which would wait for the client.
        util.close_graceful(conn.sock)
        return _CLOSED

    # --- on the worker's event loop ---------------------------------------------------------------

    def finish_request(self, conn: Any, fs: Any) -> None:
        ended = None if fs.cancelled() or fs.exception() else fs.result()
        if ended is _CLOSED:
            self._count_down()
        elif ended is not _PARKED:
            super().finish_request(conn, fs)

    def _resume(self, parked: ParkedSocket) -> None:
        answering = self.tpool.submit(self._answer, parked)
        answering.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, parked.connection, done))

    def _forget(self) -> None:
        self.method_queue.defer(self._count_down)

    def _count_down(self) -> None:
        self.nr_conns -= 1


def _allow_many_connections() -> None:
    """Raise the limit of open files: each connection is one, and systems allow 1,024 by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
