"""Holds answers against the document of the API: its status, its code and its shape are in there."""

import copy
import functools
import re
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from media_jobs.api.shared.problems.documents import CONTENT_TYPE

Json = dict[str, Any]


@functools.cache
def document() -> Json:
    found: Json = SchemaGenerator().get_schema(request=None, public=True)
    return found


def calls() -> list[tuple[str, str, Json]]:
    """Method, address and description of each call."""
    return [(method, path, call) for path, found in document()["paths"].items() for method, call in found.items()]


def answers(call: Json) -> dict[str, Json]:
    """What a call may answer, by status, whether it is written there or once for several."""
    return {status: resolved(answer) for status, answer in call["responses"].items()}


def resolved(part: Json) -> Json:
    """Return what stands where `part` points to."""
    found = part
    if "$ref" in part:
        found = document()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
    return found


def complaint(response: HttpResponseBase, method: str, path: str) -> str:
    """What the document does not say of an answer; empty where it says all, and where it does not know the address."""
    call = _call(method, path)
    status = str(response.status_code)
    if call is None or status == "405":
        return ""
    answer = answers(call).get(status)
    if answer is None:
        return f"{method} {path} answers {status}, which is not documented"
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    if response.streaming or not media_type.endswith("json") or not getattr(response, "content", b""):
        return ""
    media = answer.get("content", {}).get(media_type)
    if media is None:
        return f"{method} {path} answers {status} as {media_type}, which is not documented"
    body = response.json()  # type: ignore[attr-defined]  # of Django's test client
    if media_type == CONTENT_TYPE and body["code"] not in media["examples"]:
        return f"{method} {path} answers {status} with the code {body['code']}, which is not documented"
    wrong = [
        f"{error.json_path}: {error.message[:300]}" for error in _validator(media["schema"]["$ref"]).iter_errors(body)
    ]
    return f"{method} {path} answers {status} otherwise than documented: {wrong}" if wrong else ""


def _call(method: str, path: str) -> Json | None:
    for pattern, found in _patterns():
        if pattern.fullmatch(path):
            return found.get("get" if method == "HEAD" else method.lower())
    return None


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], Json]]:
    """Those without ids come first."""
    paths = sorted(document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\{(\w+)\}", _parameter, path)), found) for path, found in paths]


def _parameter(found: re.Match[str]) -> str:
    """Flags have names, all else has ids."""
    return r"[\w-]+" if found[1] in ("name", "key") else "[0-9a-f-]{36}"


@functools.cache
def _validator(reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": reference, "components": {"schemas": _strict()}})


@functools.cache
def _strict() -> Json:
    """The schemas, with no member but those that they name."""
    schemas: Json = copy.deepcopy(document()["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return schemas
