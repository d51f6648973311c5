"""The document of the API: valid, complete, and true. `conftest` holds every answer of these tests against it."""

import re
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from openapi_spec_validator import OpenAPIV31SpecValidator

from media_jobs.api.shared.openapi.tags import TAGS
from media_jobs.api.shared.problem_types import TYPES
from media_jobs.api.shared.routes import is_of_api
from tests.api import documented
from tests.api.authorization.rules import RULES, routes

_CALLS = [pytest.param(call, id=call["operationId"]) for _, _, call in documented.calls()]
each_call = pytest.mark.parametrize("call", _CALLS)


def test_the_document_is_valid_by_its_specification(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    served = client.get("/openapi.json").json()
    assert capsys.readouterr().err == ""  # where its generator tells what it could not make out
    assert served["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []


def test_it_has_every_call_of_the_apis_and_no_other() -> None:
    real = {(method, route) for method, route in RULES if is_of_api(route) and method != "OPTIONS"}
    said = {(method.upper(), re.sub(r"\{\w+\}", "{}", path)) for method, path, _ in documented.calls()}
    assert said == real
    assert {route for route, _ in routes(get_resolver())} > {route for _, route in said}


_FIRST_REQUESTS = """
import django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from django.test import Client
Client().get("/healthz", SERVER_NAME="localhost")  # a server loads its middleware once, and before the first request
with ThreadPoolExecutor(4) as threads:
    asked = [threads.submit(Client().get, "/openapi.json", SERVER_NAME="localhost") for _ in range(4)]
print({one.result().status_code for one in asked})
"""


def test_the_first_requests_of_a_process_may_come_at_once() -> None:
    command = [sys.executable, "-c", _FIRST_REQUESTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "{200}\n", done.stderr


@each_call
def test_each_call_says_what_it_does_and_belongs_to_a_group(call: dict[str, Any]) -> None:
    assert call["summary"]
    assert call["tags"][0] in [tag.name for tag in TAGS]
    assert call["operationId"].isalnum()
    assert "security" in call
    assert all(answer["description"] for answer in documented.answers(call).values())


@each_call
def test_each_call_tells_of_the_errors_that_all_have(call: dict[str, Any]) -> None:
    needed = {"400", "405", "406", "500"} | ({"401", "403", "429", "503"} if call["security"] else set())
    needed |= {"413", "415"} if "requestBody" in call else set()
    needed -= {"406"} if call["operationId"] == "followEvents" else set()  # whatever is accepted
    assert needed <= set(call["responses"])


@each_call
def test_each_answer_of_each_call_has_a_real_one_beside_it(call: dict[str, Any]) -> None:
    for status, answer in documented.answers(call).items():
        for media_type, media in answer.get("content", {}).items():
            assert media.get("examples"), (status, media_type)
            if media_type == "application/problem+json":
                codes = re.findall(r"\[`(\w+)`\]", answer["description"])
                assert list(media["examples"]) == codes
                assert all(
                    documented.resolved(example)["value"]["code"] in TYPES for example in media["examples"].values()
                )
    json_body = call.get("requestBody", {}).get("content", {}).get("application/json")
    assert json_body is None or json_body["examples"]


def test_a_padlock_is_where_a_credential_is_needed(settings: Any) -> None:
    """On the machine of `make run` most calls need none; from elsewhere all but these do."""
    open_to_all = {"signIn", "refreshToken", "verifyToken", "getHealth", "getPartsHealth"}
    here, elsewhere = Client(), Client(headers={"X-Forwarded-For": "192.0.2.1"})
    assert set(_locked(elsewhere)) == {call["operationId"] for _, _, call in documented.calls()} - open_to_all
    locked = _locked(here)
    assert "getOriginal" in locked
    assert "createWebhook" in locked
    assert "uploadImage" not in locked
    settings.ALLOW_ANONYMOUS = False
    assert _locked(here) == _locked(elsewhere)


def _locked(client: Client) -> list[str]:
    calls = [call for path in client.get("/openapi.json").json()["paths"].values() for call in path.values()]
    return [call["operationId"] for call in calls if call["security"] and {} not in call["security"]]


@each_call
def test_each_call_names_the_scope_that_the_rules_have(call: dict[str, Any]) -> None:
    method, path = next((m.upper(), p) for m, p, found in documented.calls() if found is call)
    rule = RULES[method, re.sub(r"\{\w+\}", "{}", path)]
    named = {tuple(scopes) for needed in call["security"] for name, scopes in needed.items() if name == "bearer"}
    assert named == ({(rule.scope,)} if rule.scope else set())


def test_what_is_said_of_an_image_is_documented_without_the_words_of_the_code() -> None:
    schemas = documented.document()["components"]["schemas"]
    image = schemas["Image"]["properties"]
    assert {"metadata", "rights", "placeholder", "dominantColour", "privacy"} <= set(image)
    assert set(schemas["Privacy"]["properties"]) == {"found", "kept", "dropped", "outputs"}
    assert "context[" not in str(schemas)


def test_the_docs_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/docs").content.decode()
    assert "swagger-ui" in page
    assert "//cdn" not in page
    assert "https://" not in page


def test_the_defaults_of_an_upload_are_those_of_the_settings(client: Client, settings: Any) -> None:
    settings.PRESERVE_TIMESTAMPS = False
    form = client.get("/openapi.json").json()["components"]["schemas"]["UploadRequest"]["properties"]
    assert {name: field["default"] for name, field in form.items() if name.startswith("preserve")} == {
        "preserveTimestamps": False,
        "preserveCameraInfo": True,
        "preserveGps": False,
        "preserveDeviceSerial": False,
    }
