"""Answers that come later: the server keeps the connection meanwhile, and no thread waits."""

from collections.abc import Callable, Iterator
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs.api.shared.problems import handlers
from media_jobs.services.waiting.room import ENVIRON, WaitingRoom
from media_jobs.services.waiting.waits import Finished, Parked, Poll

log = structlog.get_logger(__name__)

#: Headers that tell of a body.
OF_THE_BODY = frozenset({"content-length", "content-type"})


def room_of(request: Request) -> WaitingRoom | None:
    """Where the request may wait; None where nobody may wait any more, or the server cannot park connections."""
    room: WaitingRoom | None = request.META.get(ENVIRON)
    return room if room is not None and room.has_place() else None


class Later(HttpResponse):
    """Stands for an answer that is made when the job `job_id` is over, has gone past `known`, or `wait_s` have passed.

    It goes through the middleware; the headers that it is given there are the answer's. make: makes that.
    """

    def __init__(
        self, request: HttpRequest, job_id: UUID, make: Callable[[], HttpResponse], *, known: int | None, wait_s: float
    ) -> None:
        super().__init__()
        self._request, self._make = request, make
        self._poll = Poll(job_id, known=known, wait_s=wait_s, finish=self._finish)

    def __iter__(self) -> Iterator[bytes]:
        raise Parked(self._poll)

    def _finish(self) -> Finished:
        try:
            answer = self._make()
        except Exception:
            log.exception("answer_failed", path=self._request.path)
            answer = handlers.server_error(self._request)
        for name, value in self.items():
            if name.lower() not in OF_THE_BODY and name not in answer:
                answer.headers[name] = value
        patch_vary_headers(answer, [name.strip() for name in self.get("Vary", "").split(",") if name.strip()])
        if answer.status_code != 304:
            answer.headers["Content-Length"] = str(len(answer.content))
        cookies = [("Set-Cookie", cookie.OutputString(None)) for cookie in self.cookies.values()]
        status = f"{answer.status_code} {answer.reason_phrase}"
        return Finished(status, [*answer.items(), *cookies], answer.content)


def later(
    view: APIView,
    request: Request,
    job_id: UUID,
    make: Callable[[], Response],
    *,
    known: int | None = None,
    wait_s: float,
) -> Later | None:
    """`make()`, when it is time; None where the request must be answered at once.

    It is made as within the view, with its handling of errors.
    """
    if room_of(request) is None or request.method == "HEAD":
        return None

    def answer() -> HttpResponse:
        try:
            made = make()
        except Exception as error:  # noqa: BLE001  (as DRF does around a view; what is a bug it raises again)
            made = view.handle_exception(error)
        finished = view.finalize_response(request, made)
        assert isinstance(finished, Response)  # noqa: S101  (it was one)
        finished.render()
        return finished

    return Later(request._request, job_id, answer, known=known, wait_s=wait_s)
