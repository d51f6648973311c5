"""Health, readiness and metrics."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from media_jobs.services import readiness


def test_healthz_touches_nothing_and_asks_for_no_host_name(client):
    # No database mark: a query would fail the test.
    response = client.get("/healthz", headers={"Host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_probes_by_address_are_answered_and_nothing_else_is(client):
    assert client.get("/readyz", headers={"Host": "10.1.2.3"}).status_code == 200
    assert client.get("/docs", headers={"Host": "10.1.2.3"}).status_code == 400


@pytest.mark.django_db
def test_readyz_names_each_part_with_its_latency(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    checks = response.json()["checks"]
    assert set(checks) == {"database", "queue", "storage", "work"}
    assert (response.json()["status"], response.json()["degraded"]) == ("ready", [])
    assert all(check["ok"] and check["ms"] >= 0 for check in checks.values())


@pytest.mark.django_db
def test_readyz_is_200_while_uploads_are_accepted_and_says_what_is_degraded(client, unreachable_queue, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("media_jobs.services.jobs.outage.tempfile.TemporaryFile", refuse)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["degraded"] == ["queue", "work"]
    checks = response.json()["checks"]
    assert (checks["database"]["ok"], checks["storage"]["ok"]) == (True, True)
    assert "queue" in checks["queue"]["error"]
    assert "Permission denied" in checks["work"]["error"]


@pytest.mark.django_db(transaction=True)
def test_readyz_is_503_while_the_database_cannot_be_written(client, monkeypatch):
    with monkeypatch.context() as impatient, holding_the_database():
        impatient.setattr(readiness, "_DATABASE_LIMIT_S", 0.2)
        response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "not ready")
    assert response.json()["checks"]["database"]["ok"] is False
    assert client.get("/readyz").status_code == 200


@contextmanager
def holding_the_database() -> Iterator[None]:
    """Another connection has begun to write, and does not end."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN")
            cursor.execute("UPDATE media_jobs_installation SET probed_at = NULL")
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


@pytest.mark.django_db
def test_metrics_ask_for_their_token(client, settings):
    settings.METRICS_TOKEN = "s3cret"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    bearer = {"Authorization": "Bearer s3cret"}
    assert client.get("/metrics", headers=bearer, REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get("/metrics", headers={**bearer, "Host": "10.1.2.3"}).status_code == 200


@pytest.mark.django_db
def test_metrics_without_a_token_are_for_this_machine_alone(client):
    assert "queue_depth" in client.get("/metrics").content.decode()
    through_a_proxy = {"X-Forwarded-For": "10.1.2.3"}
    for refused in (
        client.get("/metrics", REMOTE_ADDR="10.1.2.3"),
        client.get("/metrics", headers=through_a_proxy),
        client.get("/metrics", headers={"Host": "gallimg.example.org"}),
    ):
        assert refused.status_code == 403
        assert b"METRICS_TOKEN" in refused.content
        assert b"queue_depth" not in refused.content


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost:80", "[::1]"])
def test_a_scrape_of_this_machine_needs_no_name_among_the_allowed_ones(client, settings, name):
    settings.ALLOWED_HOSTS = ["gallimg.example.org"]
    assert client.get("/metrics", headers={"Host": name}).status_code == 200
    assert client.get("/metrics", headers={"Host": "gallimg.example.org"}).status_code == 200
    for refused in ({"headers": {"Host": "127.0.0.1.example.org"}}, {"REMOTE_ADDR": "10.1.2.3"}):
        assert client.get("/metrics", **{"headers": {"Host": name}, **refused}).status_code == 403
