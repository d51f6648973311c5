"""What a thread of the pool does with a request, in gunicorn's threaded worker."""

from typing import Any

import structlog
from django.db import close_old_connections
from gunicorn.workers.gthread import ThreadWorker

from media_jobs import errors
from media_jobs.runtime.http import refusals
from media_jobs.runtime.http.answer import Answer
from media_jobs.runtime.http.bodies import is_used_up
from media_jobs.runtime.http.exchange import Exchange
from media_jobs.runtime.http.paced_socket import ClientTooSlow, PacedSocket
from media_jobs.runtime.parked_sockets import ParkedSocket, ParkedSockets
from media_jobs.services.metrics.own import count_answer
from media_jobs.services.waiting.room import ENVIRON
from media_jobs.services.waiting.waits import Parked, Poll

log = structlog.get_logger(__name__)


class AnsweringWorker(ThreadWorker):  # type: ignore[misc]
    """A thread reads a request, has it answered, and says whether its connection can be used again.

    It gives the connection to nobody: that is for the event loop, once the thread has ended with it.
    """

    parking: ParkedSockets

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Whether the connection can be used again; a ParkedSocket where its client waits for a job."""
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
            return ParkedSocket(conn, req, parked.wait, chunked=req.version > (1, 0))
        except ClientTooSlow as error:  # to take its answer: nothing that an operator has to know
            self.log.debug("An answer was not taken: %s", error)
            conn.sock.unsent.clear()
            return False
        except OSError:
            raise
        except Exception:
            if not exchange.answer.headers_sent:
                raise
            self.log.exception("Error handling request")  # and what was sent ends too early, as it has to
            return False
        return not exchange.answer.should_close()

    def handle_error(self, req: Any, client: PacedSocket, addr: Any, exc: Exception) -> None:
        """Tell of what reached gunicorn, its parser's refusals or a bug, in the form of all other errors."""
        code, *facts = refusals.of_exception(exc)
        if code == errors.AnswerFailed.code:
            self.log.exception("Error handling request")
        else:
            log.info("request_refused", code=code, path=client.path[:200])
        count_answer(refusals.status_of(code))
        client.sendall(refusals.answer(code, client.path, *facts))

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        if isinstance(keepalive, ParkedSocket):
            return keepalive
        conn.sock.setblocking(False)
        return bool(keepalive) and is_used_up(conn.parser)

    def _answer(self, parked: ParkedSocket) -> Any:
        """Answer a poll. True where its connection can be used again."""
        conn, req, poll = parked.connection, parked.request, parked.wait
        assert isinstance(poll, Poll)  # noqa: S101  (streams never come back)
        try:
            close_old_connections()  # as Django does around each request
            finished = poll.finish()
            close_old_connections()
            answer = Answer(req, conn.sock, self.cfg)
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
