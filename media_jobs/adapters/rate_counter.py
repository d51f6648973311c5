"""Counting requests in Redis, each with one atomic step, through the package `limits`."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from media_jobs.adapters import database
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

if TYPE_CHECKING:
    from limits.storage import RedisStorage

log = structlog.get_logger(__name__)

WINDOW_S = 60
#: Requests wait for no more: the count is not what they came for.
_TIMEOUT_S = 0.5
#: A Redis that does not answer is not asked again by this process for so long.
_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Count:
    """How many there were in this window, with this one, and in how many seconds the next window begins: 1 to 60."""

    used: int
    reset_s: int


class _Pause:
    until_s = float("-inf")


def count(names: Sequence[tuple[str, str]]) -> list[Count]:
    """Add one to each of the counters, which are named by a policy and by whom it is for. Raises QueueUnavailable."""
    if time.monotonic() < _Pause.until_s:
        raise QueueUnavailable
    storage = _storage(str(settings.RQ_QUEUES[Lane.INTERACTIVE.value]["URL"]))
    try:
        return [_count(storage, f"{policy}/{_anonymised(whom)}") for policy, whom in names]
    except RedisError as error:
        _Pause.until_s = time.monotonic() + _PAUSE_S
        log.warning("rate_limits_unavailable", error=str(error), pause_s=_PAUSE_S)
        raise QueueUnavailable from error


def forget() -> None:
    """As in a new process."""
    _Pause.until_s = float("-inf")
    _storage.cache_clear()


def _count(storage: "RedisStorage", key: str) -> Count:
    used = storage.incr(key, WINDOW_S)
    # Redis rounds to whole seconds, the wrong way half of the time: nobody may be told to come too early.
    left_s = math.ceil(storage.get_expiry(key) - time.time()) + 1
    return Count(used, min(max(left_s, 1), WINDOW_S))


def _anonymised(whom: str) -> str:
    """Ids and addresses of people are nobody's business who looks into Redis."""
    return hashlib.blake2s(whom.encode(), key=settings.SECRET_KEY.encode()[:32], digest_size=16).hexdigest()


@cache
def _storage(url: str) -> "RedisStorage":
    from limits.storage import RedisStorage  # noqa: PLC0415  (it loads all of its kinds of storage)

    how = {"socket_connect_timeout": _TIMEOUT_S, "socket_timeout": _TIMEOUT_S, "retry": Retry(NoBackoff(), 0)}
    prefix = f"gallimg:{database.short_name()}:limits"
    return RedisStorage(url, key_prefix=prefix, **how)  # type: ignore[arg-type]  # they go to redis as they are
