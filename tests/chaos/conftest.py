"""Chaos tests run on PostgreSQL, whatever TEST_DB says, and with LONG=1 in their long form."""

from pathlib import Path

import pytest

from tests.chaos.world.harness import LONG

_HERE = Path(__file__).parent
_TIME_LIMIT_S = 1800 if LONG else 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.chaos)
            item.add_marker(pytest.mark.timeout(_TIME_LIMIT_S))
