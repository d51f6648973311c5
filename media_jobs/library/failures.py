"""Failures that a person has to decide about: how many there are, grouped by what to do, and lists of them."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet

from media_jobs import selectors
from media_jobs.library import remedies
from media_jobs.library.remedies import Remedy
from media_jobs.models import Job
from media_jobs.states import JobState, Triage

#: Groups are counted over so many of the newest failures; what is done to a group is done to these.
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Group:
    """What is to be done about `count` failures. examples: the newest of them. more: older ones are uncounted."""

    remedy: Remedy
    count: int
    examples: list[Job]
    more: bool


def failures(triage: Triage = Triage.NEW) -> QuerySet[Job]:
    """Return failed jobs that say how their picture is, newest first: none has a newer job, none was deleted."""
    newer = selectors.telling_jobs().filter(original=OuterRef("original"), id__gt=OuterRef("id"))
    failed = Job.objects.filter(state=JobState.FAILED, run=None, triage=triage, original__deleted_at=None)
    return failed.filter(~Exists(newer)).order_by("-id")


def count(*, at_most: int) -> int:
    """Return how many failures nobody has decided about; stops counting at `at_most`."""
    return failures().values("pk")[:at_most].count()


def groups(triage: Triage = Triage.NEW, *, examples: int) -> list[Group]:
    """Group failures by what to do about them, that with the newest first. Two statements, however many there are."""
    newest = list(failures(triage).values_list("pk", "code")[: MOST + 1])
    of: dict[str, list[UUID]] = {}
    for pk, code in newest[:MOST]:
        of.setdefault(remedies.of(code).name, []).append(pk)
    shown = [pk for found in of.values() for pk in found[:examples]]
    jobs = {job.pk: job for job in _loaded(Job.objects.filter(pk__in=shown))}
    more = len(newest) > MOST
    return [
        Group(remedies.REMEDIES[name], len(found), [jobs[pk] for pk in found[:examples] if pk in jobs], more)
        for name, found in of.items()
    ]


def of_remedy(
    remedy: Remedy, triage: Triage, *, before: UUID | None = None, until: UUID | None = None
) -> QuerySet[Job]:
    """Return the failures of one group, newest first. before: only older ones; until: none that is newer."""
    found = failures(triage).filter(code__in=remedies.codes_of(remedy) | _unknown(remedy))
    found = found.filter(pk__lt=before) if before else found
    return _loaded(found.filter(pk__lte=until) if until else found)


def _unknown(remedy: Remedy) -> frozenset[str]:
    """Codes that no error has any more are with the faults of the service."""
    if remedy is not remedies.BUG:
        return frozenset()
    there = Job.objects.filter(state=JobState.FAILED).order_by("code").values_list("code", flat=True).distinct()
    return frozenset(code for code in there[:100] if remedies.of(code) is remedies.BUG)


def _loaded(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.select_related("original", "preset").annotate(size_bytes=F("original__size_bytes"))
