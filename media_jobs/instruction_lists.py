"""Instructions and their files, page by page, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Prefetch, Q, QuerySet
from django.db.models.functions import Now

from media_jobs.callers import VIEW_IMAGES, Caller, CallerKind
from media_jobs.models import Derivative, DirectUpload, Instruction, InstructionDetail, Product
from media_jobs.states import DerivativeState, InstructionStatus, JobState

M = TypeVar("M", bound=Model)

_TIME_SHIFT = 80  #: of the milliseconds within a UUID of version 7


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page. number: from 1. before: the anchor that the first page gave; what is newer is left out."""

    number: int
    size: int
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """total: of all pages. before: the anchor by which the next pages go on from the same beginning; None: no rows."""

    items: list[M]
    number: int
    size: int
    total: int
    before: UUID | None


def page(rows: QuerySet[M], asked: Asked) -> Page[M]:
    """Return one page of the rows, newest first. Whatever is added meanwhile moves nothing on pages with an anchor."""
    rows = rows.order_by("-pk")
    anchor = asked.before
    if anchor is None and asked.number > 1:
        anchor = rows.values_list("pk", flat=True).first()
    if anchor:
        rows = rows.filter(pk__lte=anchor)
    total = rows.order_by().count()
    first = (asked.number - 1) * asked.size
    items = list(rows.filter(pk__in=_keys(rows, first, min(first + asked.size, total), total))) if first < total else []
    return Page(items, asked.number, asked.size, total, anchor or (items[0].pk if items else None))


def _keys(rows: QuerySet[M], first: int, end: int, total: int) -> QuerySet[M, Any]:
    """The keys of the page `[first, end)` of `total` rows, counted from the nearer end.

    What is before a page is passed over in the index alone: with whole rows the last of 500 pages took five times as
    long as the first.
    """
    if first > total // 2:
        return rows.reverse().values("pk")[total - end : total - first]
    return rows.values("pk")[first:end]


def instruction(instruction_id: UUID) -> Instruction | None:
    """The instruction with its product, whoever asks."""
    return Instruction.objects.select_related("product").filter(pk=instruction_id).first()


def instructions(
    owner: str,
    *,
    status: InstructionStatus | None = None,
    after: datetime | None = None,
    before: datetime | None = None,
) -> QuerySet[Instruction]:
    """Those of `owner`. after, before: moments of their making, the first included, the second not."""
    rows = Instruction.objects.select_related("product").filter(owner=owner)
    if status:
        rows = rows.filter(status=status)
    # Ids begin with the moment, and the index is in their order.
    if after:
        rows = rows.filter(pk__gte=_first_id(after))
    if before:
        rows = rows.filter(pk__lt=_first_id(before))
    return rows


def details(of: Instruction) -> QuerySet[InstructionDetail]:
    """Its files with all that is said of them: three statements, however many they are."""
    return _loaded(InstructionDetail.objects.filter(instruction=of))


def _loaded(rows: QuerySet[InstructionDetail]) -> QuerySet[InstructionDetail]:
    current = Derivative.objects.filter(state=DerivativeState.CURRENT)
    made = Prefetch("job__original__derivatives", queryset=current, to_attr="made")
    return rows.select_related("job__preset", "job__original").prefetch_related(made)


@dataclass(frozen=True, slots=True)
class Uncleaned:
    """Which files that are still there. Each field narrows the choice, unless it is None or empty.

    due: those alone whose time is over.
    """

    states: Sequence[JobState] = ()
    product: Product | None = None
    owner: str = ""
    due: bool = False


def uncleaned(caller: Caller, wanted: Uncleaned) -> QuerySet[InstructionDetail]:
    """Files of instructions that were not cleaned up, as far as they are the caller's to look after."""
    rows = InstructionDetail.objects.filter(_of(caller), job__isnull=False)
    if wanted.owner:
        rows = rows.filter(owner=wanted.owner)
    if wanted.states:
        rows = rows.filter(state__in=wanted.states)
    if wanted.product:
        rows = rows.filter(instruction__product=wanted.product)
    if wanted.due:
        rows = rows.filter(time_is_over())
    return rows.select_related("instruction__product", "job")


def unused_uploads(caller: Caller, owner: str = "") -> QuerySet[DirectUpload]:
    """Files that were announced for the storage and have become no image."""
    rows = DirectUpload.objects.filter(_of(caller), closed_at=None)
    return rows.filter(owner=owner) if owner else rows


def _of(caller: Caller) -> Q:
    """Staff who may see images look after all; a program after its own and those of its users."""
    if VIEW_IMAGES in caller.permissions:
        return Q()
    own = Q(owner=caller.id)
    is_program = caller.kind is CallerKind.KEY and "|" not in caller.id
    return own | Q(owner__startswith=f"{caller.id}|") if is_program else own


def time_is_over() -> Q:
    """Match files whose product keeps them no longer, by the clock of the database; none where no product says so."""
    over = Q(pk__in=[])
    for pk, done_days, failed_days in Product.objects.values_list("pk", "done_days", "failed_days"):
        for states, days in ((_DONE, done_days), (_FAILED, failed_days)):
            if days:
                ended = Now() - timedelta(days=days)
                over |= Q(instruction__product=pk, state__in=states, finished_at__lt=ended)
    return over


_DONE = (JobState.DONE,)
_FAILED = (JobState.FAILED, JobState.CANCELLED)


def due_at(detail: InstructionDetail) -> datetime | None:
    """When a file, with its product loaded, is cleaned up; None: it is kept, or not over yet."""
    product: Any = detail.instruction.product
    days = product.done_days if detail.state in _DONE else product.failed_days if detail.state in _FAILED else None
    return detail.finished_at + timedelta(days=days) if days and detail.finished_at else None


def _first_id(moment: datetime) -> UUID:
    """The lowest UUID of version 7 that was made at `moment` or later."""
    milliseconds = -(-int(moment.timestamp() * 1_000_000) // 1000)
    return UUID(int=max(milliseconds, 0) << _TIME_SHIFT)
