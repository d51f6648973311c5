"""What calls have in common that take many files at once."""

from itertools import count
from typing import Any, cast

from django.conf import settings
from django.http import QueryDict
from rest_framework.request import Request

from media_jobs.api.shared.bodies.batch_uploads import ArrivingFile, Begin, FilesStream
from media_jobs.api.shared.bodies.uploads import S
from media_jobs.api.shared.limits import throttling
from media_jobs.api.shared.problems.documents import Problem
from media_jobs.api.shared.problems.translation import problem_of
from media_jobs.errors import BatchRefused, MediaError
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.services import idempotency
from media_jobs.services.originals import SizeLimits


def receive(
    request: Request, begin: Begin[S], *, field: str, limits: SizeLimits, also: str = ""
) -> list[ArrivingFile[S]]:
    """Read the request's form. Whoever made the sinks forgets them, should this raise.

    field, also: the names of the fields that hold the files.
    """
    most = settings.BATCH_MAX_FILES
    stream = FilesStream(request._request, field=field, also=also, most=most, limits=limits, begin=begin)
    request.data  # noqa: B018  (reads the form)
    return stream.finished()


def text_fields(request: Request) -> QueryDict:
    """Return what a form that was received has beside its files."""
    return cast(QueryDict, request.data)  # what a multipart form is parsed to


def fingerprint(call: str, request: Request, files: list[ArrivingFile[Any]]) -> str:
    """Return that of all files, taken or not: what is refused today may be taken when it is sent again."""
    sent = {f"file {place}": [file.filename, file.sha256] for place, file in enumerate(files)}
    return idempotency.fingerprint(call, sent | dict(text_fields(request).lists()))


def problem(error: MediaError) -> Problem:
    """What is told of one file that was refused. Raises the error, where it is none that a request should meet."""
    found = problem_of(error)
    if found is None:
        raise error
    return found


def shared_problem(refused: BatchRefused) -> Problem:
    """The problem that all files have in common, or that they have none."""
    codes = {error.code for error in refused.refusals}
    return problem(refused.refusals[0] if len(codes) == 1 else refused)


def counted(request: Request, begin: Begin[S]) -> Begin[S]:
    """Return `begin`, which counts each file but the first, the request's own, as an upload of its own."""
    begun = count()

    def begin_counted(kind: Kind, filename: str) -> S:
        if next(begun):
            throttling.count_further_upload(request)
        return begin(kind, filename)

    return begin_counted
