"""The places where the chaos tests let a process die are there: those tests run seldom, and a renaming often."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos import test_crashes, test_deliveries, test_direct_uploads, test_rollback
from tests.chaos.dying import crashing


def points(found: Any) -> Iterator[crashing.Point]:
    if isinstance(found, crashing.Point):
        yield found
    elif isinstance(found, tuple | list):
        for one in found:
            yield from points(one)


FUNCTIONS = sorted(
    {
        point.function
        for module in (test_crashes, test_deliveries, test_direct_uploads, test_rollback)
        for constant in vars(module).values()
        for point in points(constant)
    }
)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_crash_point_is_a_function(function: str) -> None:
    assert callable(crashing.resolve(function)[2])
