import pytest


@pytest.fixture(autouse=True)
def _store_of_its_own(object_store):
    """Every test here starts with an empty store."""
