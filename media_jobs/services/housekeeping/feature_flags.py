"""Guarded feature flags: off again while there are too many errors, guarded again when there are few."""

from collections.abc import Iterator

from media_jobs.services.flags import falling_back, guard
from media_jobs.services.housekeeping.task import Finding, TaskRun


def find(_: TaskRun) -> Iterator[list[Finding]]:
    """While no flag is on nobody asks for the scoreboard."""
    flags = list(falling_back.watched())
    if not flags:
        return
    opinion = guard.opinion()
    if opinion.must_fall_back:
        yield [
            Finding(f"flag {flag} is on. {opinion.why}", (falling_back.fall_back, flag, opinion))
            for flag in flags
            if flag.forced_at is None
        ]
    else:
        yield [
            Finding(f"flag {flag} was forced, and there are few errors now", (falling_back.arm, flag))
            for flag in flags
            if flag.forced_at is not None
        ]


def repair(_: TaskRun, findings: list[Finding]) -> int:
    return sum(do(*what) for do, *what in (finding.subject for finding in findings))
