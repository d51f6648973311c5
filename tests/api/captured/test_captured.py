"""The examples in the document of the API are what the service answers."""

import os
from pathlib import Path
from typing import Any

import pytest

from media_jobs.api.shared.openapi import captured
from tests import people
from tests.api import signing
from tests.api.captured import callers, flags, images, ingestion, instructions, problems, runs, shadows
from tests.api.captured.recorder import Recorder, comparable

FILE = Path(captured.__file__).with_name("captured.json")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_examples_are_what_the_service_answers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PUBLIC_BASE_URL = "https://images.example.org"
    settings.JWT_SECRET, settings.JWT_ISSUER, settings.JWT_AUDIENCE = signing.SECRET, "gallimg", "gallimg"
    settings.ALLOW_ANONYMOUS = True
    record, me = Recorder(), people.keyed()
    # First, since a run waits for uploads, of which the others leave some.
    runs.capture(record, people.keyed())
    images.capture(record, me)
    ingestion.capture(record, me)
    ingestion.capture_health(record, settings)
    instructions.capture(record, me, settings)
    shadows.capture(record, people.keyed())
    callers.capture_tokens(record)
    callers.capture_webhooks(record, me)
    flags.capture(record, me)
    problems.capture(record, people.keyed(), settings, monkeypatch)
    found = record.text()
    if os.environ.get("WRITE_CAPTURED") == "1":
        FILE.write_text(found)
    assert comparable(FILE.read_text()) == comparable(found), "python -m tests.api.captured writes it anew"
