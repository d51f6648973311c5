"""The AsyncAPI document and the JSON Schemas of messages are well-formed, and say what the code does."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gallimg_site.env import Env
from media_jobs.services.messages.schemas import IMAGE_REQUEST, NOTIFICATION, problem, schema
from media_jobs.services.messages.told import STATUS
from media_jobs.states import TOLD

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/asyncapi.yaml"


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(DOCUMENT.read_text())


@pytest.mark.parametrize("name", [NOTIFICATION, IMAGE_REQUEST])
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"].endswith(f"/{name}.json")


def test_the_schema_of_notifications_knows_all_that_is_told() -> None:
    known = schema(NOTIFICATION)["properties"]
    assert set(known["type"]["enum"]) == {word.value for word in TOLD.values()}
    assert set(known["status"]["enum"]) == set(STATUS.values())
    assert set(STATUS) == set(TOLD)


def test_a_request_is_ours_or_another_s_and_never_both() -> None:
    foreign = {"key": "inbox/a.jpg", "product": "gallformers", "userId": "ada"}
    assert problem(IMAGE_REQUEST, foreign) == ""
    assert problem(IMAGE_REQUEST, foreign | {"requestId": "2", "version": 1}) == ""
    for wrong in ({"version": 2}, {"jobId": "7"}, {"userId": ""}, {"key": 7}, {"source": "gallimg"}):
        assert problem(IMAGE_REQUEST, foreign | wrong)


def test_the_document_names_the_subjects_and_schemas_of_the_code(document: Any) -> None:
    assert document["asyncapi"] == "3.0.0"
    addresses = {name: channel["address"] for name, channel in document["channels"].items()}
    assert addresses == {
        "notifications": Env.NATS_SUBJECT_NOTIFICATIONS_SSE, "requests": Env.NATS_SUBJECT_IMAGE_REQUESTS,
    }  # fmt: skip
    messages = document["components"]["messages"]
    for name, expected in (("notification", NOTIFICATION), ("imageRequest", IMAGE_REQUEST)):
        assert messages[name]["name"] == expected
        found = DOCUMENT.parent / messages[name]["payload"]["schema"]["$ref"]
        assert found.resolve().name == f"{expected}.json"
        assert found.exists()


def test_every_reference_within_the_document_leads_somewhere(document: Any) -> None:
    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [part["$ref"]] if "$ref" in part else [ref for value in part.values() for ref in references(value)]
        return [ref for value in part for ref in references(value)] if isinstance(part, list) else []

    found = [ref for ref in references(document) if ref.startswith("#/")]
    assert len(found) > 8
    for ref in found:
        part = document
        for step in ref.removeprefix("#/").split("/"):
            part = part[step]
