"""Health, readiness, metrics and documentation."""

from uuid import uuid4

import pytest
from drf_spectacular.validation import validate_schema

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


def test_the_openapi_document_is_valid_and_names_every_call(client, capsys):
    schema = client.get("/openapi.json").json()
    assert capsys.readouterr().err == ""  # where its generator tells what it could not make out
    validate_schema(schema)
    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {
        "/v1/events",
        "/v1/events/ticket",
        "/v1/images",
        "/v1/jobs",
        "/v1/tokens",
        "/v1/tokens/refresh",
        "/v1/tokens/verify",
        "/v1/uploads",
        "/v1/jobs/{id}",
        "/v1/jobs/{id}/retry",
        "/v1/images/{id}",
        "/v1/images/{id}/original",
        "/v1/images/{id}/restore",
        "/v1/webhooks",
        "/v1/webhooks/{id}",
        "/v1/webhooks/{id}/secret",
        "/v1/webhooks/{id}/test",
        "/v1/webhooks/{id}/deliveries",
        "/v1/webhooks/{id}/deliveries/{delivery_id}/replay",
        "/v1/webhooks/{id}/replay",
        "/api/v1/ingest/upload",
        "/api/v1/ingest/batch",
        "/api/v1/ingest/status/{jobId}",
        "/api/v1/ingest/{jobId}",
        "/api/v1/health",
    }


@pytest.mark.django_db
def test_errors_are_documented_in_the_type_in_which_they_come(client):
    sent = client.get(f"/v1/jobs/{uuid4()}")
    assert sent.status_code == 404
    paths = client.get("/openapi.json").json()["paths"]
    del paths["/api/v1/health"]  # says what is wrong in the words in which it says what is right
    calls = [call for path in paths.values() for call in path.values()]
    problems = [answer for call in calls for status, answer in call["responses"].items() if status >= "400"]
    assert len(problems) >= 10
    assert {media for answer in problems for media in answer["content"]} == {sent["Content-Type"]}
    assert {answer["content"][sent["Content-Type"]]["schema"]["$ref"] for answer in problems} == {
        "#/components/schemas/Problem"
    }


def test_what_is_said_of_an_image_is_documented_without_the_words_of_the_code(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    image = schemas["Image"]["properties"]
    assert {"metadata", "rights", "placeholder", "dominantColour", "privacy"} <= set(image)
    assert set(schemas["Privacy"]["properties"]) == {"found", "kept", "dropped", "outputs"}
    assert "context[" not in str(schemas)


def test_the_docs_page_loads_nothing_from_elsewhere(client):
    page = client.get("/docs").content.decode()
    assert "swagger-ui" in page
    assert "//cdn" not in page
    assert "https://" not in page


def test_who_tries_an_upload_in_the_docs_keeps_what_the_settings_keep(client, settings):
    """The page fills its form with the defaults of the document, or else with `true`."""
    settings.PRESERVE_TIMESTAMPS = False
    form = client.get("/openapi.json").json()["components"]["schemas"]["UploadRequest"]["properties"]
    assert {name: field["default"] for name, field in form.items() if name.startswith("preserve")} == {
        "preserveTimestamps": False,
        "preserveCameraInfo": True,
        "preserveGps": False,
        "preserveDeviceSerial": False,
    }
    assert form["focus"]["default"] == ""
