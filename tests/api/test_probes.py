"""Health, readiness and metrics."""

import pytest

from media_jobs.states import JobState
from tests.factories import make_failed_job, make_job, make_original


def test_healthz_touches_nothing_and_asks_for_no_host_name(client):
    # No database mark: a query would fail the test.
    response = client.get("/healthz", headers={"Host": "10.1.2.3"})
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_probes_by_address_are_answered_and_nothing_else_is(client, path):
    assert client.get(path, headers={"Host": "10.1.2.3"}).status_code == 200
    assert client.get("/docs", headers={"Host": "10.1.2.3"}).status_code == 400


@pytest.mark.django_db
def test_readyz_names_each_part_with_its_latency(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    checks = response.json()["checks"]
    assert set(checks) == {"database", "queue", "storage"}
    assert all(check["ok"] and check["ms"] >= 0 for check in checks.values())


@pytest.mark.django_db
def test_readyz_is_503_and_says_which_part_is_away(client, unreachable_queue):
    response = client.get("/readyz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert (checks["queue"]["ok"], checks["database"]["ok"], checks["storage"]["ok"]) == (False, True, True)
    assert "queue" in checks["queue"]["error"]


@pytest.mark.django_db
def test_metrics_have_the_names_of_the_seed(client):
    make_job(make_original(stored=False, size_bytes=1000), state=JobState.DONE, duration_ms=400)
    make_failed_job(original=make_original(stored=False, size_bytes=24))
    make_job(make_original(stored=False, size_bytes=1))
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'jobs_total{status="done"} 1.0' in lines
    assert 'jobs_total{status="failed"} 1.0' in lines
    assert 'queue_depth{lane="interactive"} 1.0' in lines
    assert "upload_bytes_total 1025.0" in lines
    assert 'job_duration_seconds_bucket{le="0.25"} 0.0' in lines
    assert 'job_duration_seconds_bucket{le="0.5"} 1.0' in lines
    assert "job_duration_seconds_sum 0.4" in lines
    assert "job_duration_seconds_count 1.0" in lines


@pytest.mark.django_db
def test_metrics_ask_for_their_token(client, settings):
    settings.METRICS_TOKEN = "s3cret"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200
