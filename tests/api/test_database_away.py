"""A database that goes away: 503 with a time to come back, nothing half kept, and all is well once it is back."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError, connection

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.models import Job, Original
from media_jobs.services import housekeeping
from media_jobs.services.uploads import intake
from media_jobs.states import OriginalState
from tests import images
from tests.factories import make_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


def is_away(*_: Any, **__: Any) -> None:
    raise OperationalError("could not connect to server at 10.0.0.7")


def upload(client, photo: bytes):
    return client.post("/v1/images", {"file": SimpleUploadedFile("a.jpg", photo)})


def refused(response) -> bool:
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert b"10.0.0.7" not in response.content
    return bool(response.headers["Retry-After"] == "5")


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_every_call_says_so(client, monkeypatch, error):
    def away(*_: Any) -> None:
        raise error("could not connect to server at 10.0.0.7")

    job = make_job()
    monkeypatch.setattr(selectors, "job", away)
    for response in (client.get(f"/v1/jobs/{job.pk}"), client.delete(f"/v1/jobs/{job.pk}")):
        assert refused(response)


def test_also_where_it_is_met_before_the_view(client, monkeypatch):
    client.force_login(User.objects.create_user("curator", is_staff=True))
    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", is_away)
    assert refused(client.get(f"/v1/jobs/{make_job().pk}"))


def test_an_upload_in_flight_is_refused_and_what_it_left_is_swept_later(client, photo, monkeypatch):
    real = intake.create_job

    def lost(*args: Any, **how: Any) -> Job:
        """The connection breaks in the middle of the transaction, and there is no new one."""
        real(*args, **how)
        monkeypatch.setattr(connection, "cursor", is_away)
        monkeypatch.setattr(connection, "rollback", is_away)
        raise OperationalError("server closed the connection at 10.0.0.7")

    monkeypatch.setattr(intake, "create_job", lost)
    response = upload(client, photo)
    monkeypatch.undo()
    connection.close()
    assert refused(response)
    assert not Job.objects.exists()
    assert len(list(store(Role.WORKER).keys())) == 1
    housekeeping.run(older_than=timedelta(0))
    assert not Original.objects.exists()
    assert list(store(Role.WORKER).keys()) == []


@pytest.mark.sqlite
def test_an_upload_that_waited_for_a_locked_database_waits_no_second_time_to_be_refused(client, photo, monkeypatch):
    waits: list[int] = []

    def limit_ms() -> int:
        return int(connection.connection.execute("PRAGMA busy_timeout").fetchone()[0])

    def watched(execute: Any, sql: str, *how: Any) -> Any:
        if sql.startswith('INSERT INTO "media_jobs_original"'):
            waits.append(limit_ms())
        return execute(sql, *how)

    def locked(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(intake, "create_job", locked)
    with connection.execute_wrapper(watched):
        assert refused(upload(client, photo))
    assert waits == [limit_ms(), 2_000]
    assert Original.objects.get().state == OriginalState.DELETED


@pytest.mark.postgres  # SQLite has no connections to cut
def test_a_cut_connection_costs_one_request_and_leaves_nothing(client, photo, monkeypatch):
    real = intake.create_job

    def cut(*args: Any, **how: Any) -> Job:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return real(*args, **how)

    monkeypatch.setattr(intake, "create_job", cut)
    assert refused(upload(client, photo))
    monkeypatch.undo()
    assert upload(client, photo).status_code == 202
    assert set(Original.objects.values_list("state", flat=True)) <= {OriginalState.ACTIVE, OriginalState.DELETED}
    assert Job.objects.count() == 1
