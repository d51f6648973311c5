"""A running service for the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.e2e.service import Service, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service") / "data") as started:
        yield started
