"""Counting requests in Redis: all counters of a request in one atomic step."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from media_jobs.adapters import database
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

log = structlog.get_logger(__name__)

WINDOW_S = 60
#: Requests wait for no more: the count is not what they came for.
_TIMEOUT_S = 0.5
#: A Redis that does not answer is not asked again by this process for so long.
_PAUSE_S = 5.0
#: Adds one to each counter, which ends with its window, and tells how many milliseconds are left of that.
_ADD_ONE = """
local counts = {}
for place, key in ipairs(KEYS) do
    local used = redis.call("INCR", key)
    if used == 1 then redis.call("PEXPIRE", key, ARGV[1]) end
    counts[place] = {used, redis.call("PTTL", key)}
end
return counts
"""


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
    add_one = _script(str(settings.RQ_QUEUES[Lane.INTERACTIVE.value]["URL"]))
    prefix = f"gallimg:{database.short_name()}:limits"
    keys = [f"{prefix}:{policy}/{_anonymised(whom)}" for policy, whom in names]
    try:
        return [_count(used, left_ms) for used, left_ms in add_one(keys=keys, args=[1000 * WINDOW_S])]
    except RedisError as error:
        _Pause.until_s = time.monotonic() + _PAUSE_S
        log.warning("rate_limits_unavailable", error=str(error), pause_s=_PAUSE_S)
        raise QueueUnavailable from error


def forget() -> None:
    """As in a new process."""
    _Pause.until_s = float("-inf")
    _script.cache_clear()


def _count(used: int, left_ms: int) -> Count:
    return Count(used, min(max(math.ceil(left_ms / 1000), 1), WINDOW_S))


def _anonymised(whom: str) -> str:
    """Ids and addresses of people are nobody's business who looks into Redis."""
    return hashlib.blake2s(whom.encode(), key=settings.SECRET_KEY.encode()[:32], digest_size=16).hexdigest()


@cache
def _script(url: str) -> Script:
    limits = {"socket_connect_timeout": _TIMEOUT_S, "socket_timeout": _TIMEOUT_S}
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0), **limits).register_script(_ADD_ONE)
