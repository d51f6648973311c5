"""Feature flags by HTTP: in our words, and by OpenFeature's protocol."""

import json
from typing import Any

import pytest
from django.test import Client

from media_jobs.callers import Scope
from media_jobs.models import FeatureFlag
from tests import people

pytestmark = pytest.mark.django_db
FLAG = "/v1/flags/image-service"
OFREP = "/ofrep/v1/evaluate/flags"
#: The bucket of `visitor-1` is 1,802.
ON, OFF = {"basis_points": 1803}, {"basis_points": 1802}


@pytest.fixture
def site() -> Client:
    """A web tier: it may read, and nothing else."""
    return people.keyed(Scope.READ)


def set_flag(**fields: Any) -> None:
    FeatureFlag.objects.filter(pk="image-service").update(**{"enabled": True, **fields})


def evaluate(client: Client, body: Any, flag: str = "/image-service", **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(f"{OFREP}{flag}", sent, content_type="application/json", headers=headers)


def test_the_shipped_flag_is_off_and_guarded(site: Client) -> None:
    assert site.get(f"{FLAG}?key=visitor-1").json() == {"name": "image-service", "enabled": False, "percent": 0}
    assert FeatureFlag.objects.get(pk="image-service").guarded


def test_a_key_gets_its_answer_which_holds_for_seconds(site: Client) -> None:
    set_flag(**ON)
    answer = site.get(f"{FLAG}?key=visitor-1")
    assert answer.json() == {"name": "image-service", "enabled": True, "percent": 18.03}
    assert answer["Cache-Control"] == "private, max-age=5"
    known = {"If-None-Match": answer["ETag"]}
    again = site.get(f"{FLAG}?key=visitor-1", headers=known)
    assert (again.status_code, again["ETag"], again["Cache-Control"]) == (304, answer["ETag"], "private, max-age=5")
    set_flag(**OFF)
    changed = site.get(f"{FLAG}?key=visitor-1", headers=known)
    assert (changed.status_code, changed.json()["enabled"]) == (200, False)


def test_a_flag_that_is_switched_off_is_at_no_percentage(site: Client) -> None:
    set_flag(basis_points=5000, enabled=False)
    assert site.get(f"{FLAG}?key=visitor-1").json()["percent"] == 0


@pytest.mark.parametrize("query", ["", "?key="])
def test_without_a_key_it_is_on_where_it_is_on_for_everybody(site: Client, query: str) -> None:
    set_flag(basis_points=9999)
    assert site.get(FLAG + query).json()["enabled"] is False
    set_flag(basis_points=10_000)
    assert site.get(FLAG + query).json()["enabled"] is True


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/flags/imageservice?key=a", 404, "unknown_flag"),
        ("/v1/flags/image%00service?key=a", 404, "unknown_flag"),
        (f"{FLAG}?key={'a' * 201}", 400, "bad_field"),
        (f"{FLAG}?Key=a", 400, "unknown_field"),
    ],
)
def test_what_cannot_be_answered_says_why(site: Client, path: str, status: int, code: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_flag_by_openfeatures_protocol(site: Client) -> None:
    set_flag(**ON)
    answer = evaluate(site, {"context": {"targetingKey": "visitor-1", "country": "at"}})
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "key": "image-service",
        "value": True,
        "variant": "on",
        "reason": "SPLIT",
        "metadata": {"percent": 18.03, "version": 1},
    }
    for fields, said in (
        ({**OFF}, (False, "off", "SPLIT")),
        ({"basis_points": 0, "allow": ["visitor-1"]}, (True, "on", "TARGETING_MATCH")),
        ({"basis_points": 10_000, "allow": [], "deny": ["visitor-1"]}, (False, "off", "TARGETING_MATCH")),
        ({"basis_points": 10_000, "deny": []}, (True, "on", "STATIC")),
        ({"enabled": False}, (False, "off", "DISABLED")),
    ):
        set_flag(**fields)
        found = evaluate(site, {"context": {"targetingKey": "visitor-1"}}).json()
        assert (found["value"], found["variant"], found["reason"]) == said


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "TARGETING_KEY_MISSING"),
        ({"context": {}}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": ""}}, "TARGETING_KEY_MISSING"),
        ({"context": ["visitor-1"]}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "a" * 201}}, "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "\\ud83c"}}', "INVALID_CONTEXT"),
        (b'{"context": ', "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
    ],
)
def test_a_bad_evaluation_is_told_in_the_words_of_the_protocol(site: Client, body: Any, code: str) -> None:
    one, all_of_them = evaluate(site, body), evaluate(site, body, "")
    assert (one.status_code, one["Content-Type"], one["Cache-Control"]) == (400, "application/json", "no-store")
    assert {**one.json(), "errorDetails": ""} == {"key": "image-service", "errorCode": code, "errorDetails": ""}
    assert (all_of_them.status_code, set(all_of_them.json())) == (400, {"errorCode", "errorDetails"})
    assert all_of_them.json()["errorCode"] == code


def test_an_unknown_flag_is_told_in_the_words_of_the_protocol(site: Client) -> None:
    answer = evaluate(site, {"context": {"targetingKey": "a"}}, "/imageservice")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    assert answer.json()["key"] == "imageservice"


def test_all_flags_at_once_and_again_only_when_one_has_changed(site: Client) -> None:
    FeatureFlag.objects.create(name="new-header", enabled=True, basis_points=10_000)
    asked = {"context": {"targetingKey": "visitor-1"}}
    answer = evaluate(site, asked, "")
    assert {flag["key"]: flag["value"] for flag in answer.json()["flags"]} == {
        "image-service": False,
        "new-header": True,
    }
    again = evaluate(site, asked, "", **{"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    set_flag(**ON)
    assert evaluate(site, asked, "", **{"If-None-Match": answer["ETag"]}).status_code == 200


def test_an_answer_takes_one_query_beside_those_that_tell_who_asks(
    site: Client, django_assert_num_queries: Any
) -> None:
    set_flag(**ON)
    site.get("/v1/staleness")  # the key's last use is written down now
    for ask in (lambda: site.get(f"{FLAG}?key=a"), lambda: evaluate(site, {"context": {"targetingKey": "a"}})):
        with django_assert_num_queries(2):
            assert ask().status_code == 200
