"""What a thread of the pool does with a request, in gunicorn's threaded worker."""

from functools import partial
from typing import Any

from django.db import close_old_connections
from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from media_jobs.runtime.http.bodies import is_used_up
from media_jobs.runtime.http.exchange import Exchange
from media_jobs.runtime.http.pace import Pace
from media_jobs.runtime.http.sender import Sender
from media_jobs.runtime.parked_sockets import ParkedSocket, ParkedSockets
from media_jobs.services.waiting.room import ENVIRON
from media_jobs.services.waiting.waits import Parked, Poll

#: What a request ends with when its connection was handed over to the thread of those that wait, or to the sender.
PARKED, SENDING = object(), object()


class AnsweringWorker(ThreadWorker):  # type: ignore[misc]
    """A thread reads a request, has it answered, and says whether its connection can be used again.

    What its client does not take at once is left to `sender`, and whoever waits for a job to `parking`.
    """

    pace: Pace
    sender: Sender
    parking: ParkedSockets

    def handle(self, conn: Any) -> Any:
        conn.sock.begin(self.pace)
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Whether the connection can be used again; `PARKED` where another thread has it."""
        exchange = Exchange(req, conn, self.cfg)
        exchange.environ[ENVIRON] = self.parking.room
        if not self.alive:
            exchange.answer.force_close()
        try:
            made = self.wsgi(exchange.environ, exchange.start_response)
            try:
                exchange.send(made)
            finally:
                if hasattr(made, "close"):
                    made.close()
        except Parked as parked:
            self.parking.adopt(ParkedSocket(conn, req, parked.wait, chunked=req.version > (1, 0)))
            return PARKED
        except OSError:
            raise
        except Exception:
            if not exchange.answer.headers_sent:
                raise
            self.log.exception("Error handling request")  # and what was sent ends too early, as it has to
            return False
        return not exchange.answer.should_close()

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        if keepalive is PARKED:
            return PARKED
        conn.sock.setblocking(False)
        can_go_on = bool(keepalive) and is_used_up(conn.parser)
        if not conn.sock.owes:
            return can_go_on
        self.sender.adopt(conn.sock, partial(self.method_queue.defer, self._was_sent, conn, can_go_on))
        return SENDING

    def _answer(self, parked: ParkedSocket) -> Any:
        """Answer a poll. True where its connection can be used again."""
        conn, req, poll = parked.connection, parked.request, parked.wait
        assert isinstance(poll, Poll)  # noqa: S101  (streams never come back)
        try:
            close_old_connections()  # as Django does around each request
            finished = poll.finish()
            close_old_connections()
            conn.sock.begin(self.pace)
            answer = wsgi.Response(req, conn.sock, self.cfg)
            if not self.alive:
                answer.force_close()
            answer.start_response(finished.status, finished.headers)
            answer.write(finished.body)
            answer.close()
            return self._keepalive_after(conn, not answer.should_close())
        except OSError as error:
            self.log.debug("The client of a poll has gone: %s", error)
        except Exception:
            self.log.exception("An answer that waited cannot be sent")
        return False

    def _was_sent(self, conn: Any, can_go_on: bool, was_sent: bool) -> None:
        """On the event loop: the sender has done with a connection."""
        raise NotImplementedError
