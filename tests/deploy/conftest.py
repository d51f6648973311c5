"""Hardly any of these asks a database: they run beside SQLite alone."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.sqlite)
