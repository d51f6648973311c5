"""For which keys a flag is on: exactly its share, always the same, and more of them when it is raised."""

import itertools
import math
import re
from typing import Any

import pytest

from media_jobs.errors import BadRequest
from media_jobs.models import FeatureFlag
from media_jobs.services.flags import evaluation, shares
from media_jobs.services.flags.evaluation import Why
from tests.generated_docs import ROOT

KEYS = [f"visitor-{number}" for number in range(100_000)]


def flag(name: str = "image-service", **fields: object) -> FeatureFlag:
    return FeatureFlag(name=name, **{"enabled": True, **fields})


def on(found: FeatureFlag) -> set[str]:
    return {key for key in KEYS if evaluation.answer(found, key).enabled}


def expected(count: int, share: float) -> tuple[float, float]:
    """Bounds of what chance makes of it, once in some millions of times otherwise."""
    mean, deviation = len(KEYS) * share, math.sqrt(len(KEYS) * share * (1 - share))
    return mean - 5 * deviation, mean + 5 * deviation


def test_the_published_buckets_are_those_that_are_computed() -> None:
    rows = re.findall(r"(?m)^\| `(\S+)` \| `(\S+)` \| (\d+) \| (\d+) \|$", (ROOT / "docs/flags.md").read_text())
    assert len(rows) == 8
    for name, key, murmur3, bucket in rows:
        assert evaluation.bucket(name, key) == int(bucket) == int(murmur3) % 10_000, key


def test_it_is_on_for_its_share_of_keys_and_a_raise_takes_none_away() -> None:
    shown = [on(flag(basis_points=points)) for points in (0, 125, 2500, 10_000)]
    for points, keys in zip((125, 2500), shown[1:-1], strict=True):
        low, high = expected(len(keys), points / 10_000)
        assert low < len(keys) < high, points
    assert (shown[0], shown[-1]) == (set(), set(KEYS))
    assert all(fewer < more for fewer, more in itertools.pairwise(shown))
    assert on(flag(basis_points=125)) == shown[1]  # lowered again, it is on for the very same


def test_two_flags_are_on_for_different_keys() -> None:
    one, other = on(flag(basis_points=5000)), on(flag("another", basis_points=5000))
    low, high = expected(len(one & other), 0.25)
    assert low < len(one & other) < high


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"enabled": False, "basis_points": 10_000, "allow": ["a"]}, "a", (False, Why.DISABLED)),
        ({"basis_points": 10_000, "allow": ["a"], "deny": ["a"]}, "a", (False, Why.DENIED)),
        ({"basis_points": 0, "allow": ["a"]}, "a", (True, Why.ALLOWED)),
        ({"basis_points": 0}, "a", (False, Why.ALL_ALIKE)),
        ({"basis_points": 10_000}, "a", (True, Why.ALL_ALIKE)),
        ({"basis_points": 9_999}, "", (False, Why.ALL_ALIKE)),
        ({"basis_points": 10_000, "deny": [""]}, "", (True, Why.ALL_ALIKE)),
        ({"basis_points": 1803}, "visitor-1", (True, Why.SHARE)),
        ({"basis_points": 1802}, "visitor-1", (False, Why.SHARE)),
    ],
)
def test_what_decides(fields: dict[str, Any], key: str, said: tuple[bool, Why]) -> None:
    found = evaluation.answer(flag(**fields), key)
    assert (found.enabled, found.why) == said


def test_a_percentage_has_two_decimals() -> None:
    assert [shares.parse(text) for text in ("5", "1.25 %", "0.01", "100%", "0")] == [500, 125, 1, 10_000, 0]
    assert [shares.percent(points) for points in (500, 125, 1, 10_000, 0)] == [5, 1.25, 0.01, 100, 0]
    for text in ("0.001", "100.01", "-1", "", "many", "NaN", "Infinity", "1e999999999"):
        with pytest.raises(BadRequest):
            shares.parse(text)
