"""What the views of the Instrlabs API share: the envelope, pages, and whose an instruction is."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from media_jobs import instruction_lists
from media_jobs.api.shared import envelope
from media_jobs.api.shared.auth import caller_of
from media_jobs.errors import NotOwner
from media_jobs.instruction_lists import M, Page
from media_jobs.models import Instruction, InstructionDetail


def answer(message: str, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(envelope.of_data(message, data), status=status, headers=dict(headers or {}))


def page_of(message: str, page: Page[M], show: Callable[[M], dict[str, Any]]) -> Response:
    data = {
        "items": [show(item) for item in page.items],
        "page": page.number,
        "pageSize": page.size,
        "total": page.total,
        "before": str(page.before) if page.before else None,
    }
    return answer(message, data)


def instruction_of(request: Request, instruction_id: UUID, *, own: bool = False) -> Instruction:
    """Return the instruction, with its product. Raises Http404, and NotOwner for a stranger.

    own: staff who may see it count as strangers, too: they add nothing to what is another's.
    """
    found = instruction_lists.instruction(instruction_id)
    if found is None:
        raise Http404
    caller = caller_of(request)
    if not (caller.id == found.owner if own else caller.may_read(found.owner)):
        raise NotOwner
    return found


def detail_of(instruction: Instruction, detail_id: UUID) -> InstructionDetail:
    """Return the file with all that is said of it. Raises Http404."""
    found = instruction_lists.details(instruction).filter(pk=detail_id).first()
    if found is None:
        raise Http404
    return found
