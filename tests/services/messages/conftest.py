from collections.abc import Iterator
from typing import Any

import pytest

from media_jobs.adapters.storage.files import FileStore
from tests.servers.nats import NatsServer, nats_server


@pytest.fixture(scope="package")
def running_nats() -> Iterator[NatsServer]:
    with nats_server() as server:
        yield server


@pytest.fixture
def nats(running_nats: NatsServer, settings: Any, request: pytest.FixtureRequest) -> NatsServer:
    """The server, with subjects that no other test uses."""
    name = f"t{abs(hash(request.node.nodeid))}"
    settings.NATS_URI = running_nats.url
    settings.NATS_SUBJECT_IMAGE_REQUESTS = f"{name}.requests"
    settings.NATS_SUBJECT_NOTIFICATIONS = f"{name}.notifications"
    return running_nats


@pytest.fixture(autouse=True)
def _store_of_its_own(object_store: FileStore) -> None:
    """Every test here starts with an empty store."""
