"""What the chaos tests name of the service is there: those tests run seldom, and a renaming often."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos import test_crashes, test_deliveries, test_direct_uploads, test_rollback
from tests.chaos.dying import crashing, faulty


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


@pytest.mark.parametrize("constant", sorted({**faulty.QUICK, **test_crashes.QUICK}))
def test_a_constant_that_is_made_quicker_is_there(constant: str) -> None:
    assert crashing.resolve(constant)[2] is not None
