"""What a check of a bucket found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from media_jobs.adapters.bucket.policies import Right
from media_jobs.adapters.bucket.probes import ELSEWHERE
from media_jobs.keys import PREFIXES


class Verdict(StrEnum):
    THERE = "there"
    MISSING = "missing"
    EXCESS = "more than needed"
    UNKNOWN = "not known"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check.

    who: the role or roles, “world” (everybody, without credentials) or “bucket”.
    note: where, or why, for a person.
    """

    who: str
    what: str
    verdict: Verdict
    note: str = ""

    @property
    def is_good(self) -> bool:
        return self.verdict in (Verdict.THERE, Verdict.HINT)


def judge(who: str, right: Right, needed: Sequence[str], found: Mapping[str, bool | None]) -> Iterator[Finding]:
    """Compare one right of one principal with its needs. found: per place whether it has it, None if unknown."""
    lacking = [place for place in needed if found.get(place) is False]
    unknown = [place for place in needed if place in found and found[place] is None]
    if lacking:
        yield Finding(who, right, Verdict.MISSING, named(lacking))
    if unknown:
        yield Finding(who, right, Verdict.UNKNOWN, f"{named(unknown)}: nobody may make an object to try it on")
    if needed and not lacking and not unknown:
        yield Finding(who, right, Verdict.THERE, named(needed))
    if excess := [place for place, allowed in found.items() if allowed and place not in needed]:
        yield Finding(who, right, Verdict.EXCESS, named(excess))


def named(places: Sequence[str]) -> str:
    """Name places for a person."""
    if set(places) >= set(PREFIXES):
        return "everywhere" if ELSEWHERE in places else "under all of our prefixes"
    return " ".join(place or "elsewhere" for place in places)
