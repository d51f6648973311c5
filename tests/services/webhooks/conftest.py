from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.receiver import Receiver


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """Somebody who listens, on this host."""
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    with Receiver().up() as up:
        yield up
