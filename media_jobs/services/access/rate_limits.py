"""How often who may ask. Each limit counts for a minute; uploads are counted apart from everything else."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from media_jobs.adapters import rate_counter
from media_jobs.adapters.rate_counter import WINDOW_S
from media_jobs.callers import Caller, CallerKind
from media_jobs.errors import LimitsUnavailable, QueueUnavailable, QuotaExceeded

__all__ = ["WINDOW_S", "Policy", "State", "count", "count_address", "count_sign_in"]


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit and whom it counts. name: on the wire. most: in WINDOW_S seconds."""

    name: str
    most: int
    whom: str


@dataclass(frozen=True, slots=True)
class State:
    """What is left of a limit: `remaining` requests, until `reset_s` seconds from now."""

    policy: Policy
    remaining: int
    reset_s: int
    exceeded: bool


def count(caller: Caller, address: str, *, upload: bool) -> list[State]:
    """Count one request of `caller` from `address`, and return what is left; nothing where Redis is away.

    Raises LimitsUnavailable for an anonymous caller where Redis is away.
    """
    return _count([_of_caller(caller, upload=upload), _of_address(address, upload=upload)], known=_is_known(caller))


def count_address(address: str) -> list[State]:
    """Count one request of somebody whose credential was no good."""
    return _count([_of_address(address, upload=False)], known=True)


def count_sign_in(address: str) -> list[State]:
    """Count an attempt to sign in by name and password. Raises LimitsUnavailable: guessing needs the count."""
    return _count([Policy("sign-in", settings.SIGN_INS_PER_MINUTE, address)], known=False)


def check(states: Sequence[State]) -> None:
    """Raise QuotaExceeded where one of the limits is used up."""
    over = [state for state in states if state.exceeded]
    if over:
        names = [state.policy.name for state in over]
        raise QuotaExceeded(policies=names, retry_after_s=max(state.reset_s for state in over))


def _is_known(caller: Caller) -> bool:
    return caller.kind is not CallerKind.ANONYMOUS


def _of_caller(caller: Caller, *, upload: bool) -> Policy:
    if _is_known(caller):
        most = settings.UPLOADS_PER_MINUTE if upload else settings.READS_PER_MINUTE
    else:
        most = settings.ANONYMOUS_UPLOADS_PER_MINUTE if upload else settings.ANONYMOUS_READS_PER_MINUTE
    return Policy("upload" if upload else "read", most, caller.id)


def _of_address(address: str, *, upload: bool) -> Policy:
    most = settings.ADDRESS_UPLOADS_PER_MINUTE if upload else settings.ADDRESS_READS_PER_MINUTE
    return Policy("upload-address" if upload else "read-address", most, address)


def _count(policies: Sequence[Policy], *, known: bool) -> list[State]:
    wanted = [policy for policy in policies if policy.most]
    if not wanted:
        return []
    try:
        counts = rate_counter.count([(policy.name, policy.whom) for policy in wanted])
    except QueueUnavailable as error:
        if known:
            return []
        raise LimitsUnavailable from error
    return [
        State(policy, max(policy.most - found.used, 0), found.reset_s, found.used > policy.most)
        for policy, found in zip(wanted, counts, strict=True)
    ]
