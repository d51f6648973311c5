"""A running service for the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Service, running

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own turn of this hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a service go to the same one of pytest-xdist's workers, which starts it once."""
    for item in items:
        own = item.path.stem == "test_serve" and "service" not in getattr(item, "fixturenames", ())
        if _HERE in item.path.parents and not own:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service") / "data") as started:
        yield started
