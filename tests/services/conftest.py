from typing import Any

import pytest

from tests.servers.seaweed import another_bucket, use


@pytest.fixture(autouse=True)
def _store_of_its_own(object_store):
    """Every test here starts with an empty store."""


@pytest.fixture(params=["files", "s3"])
def each_storage(request: pytest.FixtureRequest, object_store: Any, settings: Any) -> None:
    """Each kind in turn; S3 with the credentials that production has, three sets of them."""
    if request.param == "s3":
        seaweed = another_bucket(request.getfixturevalue("seaweed"))
        use(seaweed, settings)
