from collections.abc import Iterator

import pytest

from tests.servers.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().up() as up:
        yield up
