from typing import Any

import pytest
from django.test import Client

from tests.api import documented


@pytest.fixture(autouse=True)
def _store_of_its_own(object_store):
    """Every test here starts with an empty store."""


@pytest.fixture(autouse=True)
def _all_answers_are_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test asks for, what comes back is in the document of the API."""
    ask = Client.request

    def request(self: Client, **asked: Any) -> Any:
        response = ask(self, **asked)
        assert not (missing := documented.complaint(response, asked["REQUEST_METHOD"], asked["PATH_INFO"])), missing
        return response

    monkeypatch.setattr(Client, "request", request)
