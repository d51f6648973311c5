"""What the document says beyond what drf-spectacular makes of the views."""

import json
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from media_jobs.api.shared.addresses import is_local
from media_jobs.api.shared.openapi import captured
from media_jobs.api.shared.openapi.tags import TAGS, tag_of
from media_jobs.api.shared.problems.documents import CONTENT_TYPE

Json = dict[str, Any]

_INTRODUCTION = Path(__file__).with_name("introduction.md").read_text()
#: Of a finished job it shows these members.
_SHOWN = ("jobId", "imageId", "preset", "status")
_INFO = {"license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}
#: OFREP's: sites tell of visitors what they like, and clients send members of later versions.
_OPEN_REQUESTS = ("EvaluationRequestRequest", "_ContextRequest")
_LIMITS = ("RateLimit-Policy", "RateLimit")
#: Headers of all answers with one of these statuses, beside those that a call names itself.
_OF_STATUS = {
    "401": ["WWW-Authenticate"],
    "405": ["Allow"],
    "408": ["Retry-After"],
    "429": ["Retry-After"],
    "503": ["Retry-After"],
}
_HEADERS = {
    "Allow": ("string", "The methods that this address takes."),
    "RateLimit": ("string", "What is left of each limit, and for how many seconds: `\"upload\";r=12;t=30`."),
    "RateLimit-Policy": ("string", "The limits that count this call: `\"upload\";q=60;w=60`."),
    "Retry-After": ("integer", "Seconds after which to send the request again."),
    "WWW-Authenticate": ("string", "`Bearer`, and what is wrong with the credential that was sent."),
}  # fmt: skip


def complete(result: Json, request: HttpRequest | None, **_: Any) -> Json:
    """A hook of drf-spectacular, after all others."""
    result["info"] |= {"description": _introduction(), **_INFO}
    result["servers"] = _servers()
    result["tags"] = [{"name": tag.name, "description": tag.description} for tag in TAGS]
    for call in result["webhooks"].values():
        call["post"]["security"] = []  # the signature tells who sends
    for path, call in _calls(result):
        call["tags"] = [tag_of(path)]
        call.setdefault("security", [])
        _add_examples(call)
        _add_headers(call)
        if request is not None and not is_local(request):  # who comes from elsewhere is not let in without
            call["security"] = [needed for needed in call["security"] if needed]
    components = result["components"]
    components["headers"] = {
        name: {"description": text, "schema": {"type": kind}} for name, (kind, text) in _HEADERS.items()
    }
    for name, schema in components["schemas"].items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False  # a field by an unknown name is refused
    for name in ("Problem", "ErrorItem", *_OPEN_REQUESTS):
        components["schemas"][name]["additionalProperties"] = True
    components["examples"] = _share_examples(result)
    components["responses"] = _share_answers(result)
    return result


def _introduction() -> str:
    accepted = captured.ANSWERS["uploadImage"]["202"]["new"]["value"]
    finished = captured.ANSWERS["getJob"]["200"]["done"]["value"]
    shown = _compact({name: finished[name] for name in _SHOWN})
    said = {
        "server": settings.PUBLIC_BASE_URL,
        "job": accepted["jobId"],
        "accepted": _compact(accepted),
        "finished": f"{shown.removesuffix('}')}, …}}",
    }
    text = _INTRODUCTION
    for name, value in said.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def _servers() -> list[Json]:
    here = {"url": "/", "description": "Where this document comes from"}
    return [here, {"url": settings.PUBLIC_BASE_URL, "description": "The public address"}]


def _calls(result: Json) -> Iterator[tuple[str, Json]]:
    for path, calls in result["paths"].items():
        for call in calls.values():
            yield path, call


def _add_examples(call: Json) -> None:
    for media, examples in captured.REQUESTS.get(call["operationId"], {}).items():
        call["requestBody"]["content"][media]["examples"] = examples
    for status, examples in captured.ANSWERS.get(call["operationId"], {}).items():
        for kind, media in call["responses"][status]["content"].items():
            if kind != CONTENT_TYPE:  # problems have their own
                media["examples"] = examples


def _add_headers(call: Json) -> None:
    for status, answer in call["responses"].items():
        names = [*_OF_STATUS.get(status, ()), *(_LIMITS if call["security"] else ())]
        if names:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names} | answer.get(
                "headers", {}
            )


def _problems(result: Json) -> Iterator[tuple[Json, str]]:
    """The answers of all calls to errors, each with its status."""
    for _, call in _calls(result):
        for status, answer in call["responses"].items():
            if CONTENT_TYPE in answer.get("content", {}):
                yield answer, status


def _share_examples(result: Json) -> Json:
    """Write each problem once, and name it by its code wherever it is an example."""
    shown = set()
    for answer, _ in _problems(result):
        media = answer["content"][CONTENT_TYPE]
        codes = [example["value"]["code"] for example in media.get("examples", {}).values()]
        media["examples"] = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
        shown.update(codes)
    # Some come in envelopes only.
    found = {code: problem for code, problem in captured.PROBLEMS.items() if code in shown}
    return {code: {"summary": problem["title"], "value": problem} for code, problem in found.items()}


def _share_answers(result: Json) -> Json:
    """Write an answer to errors once that several calls have."""
    alike = defaultdict(list)
    for answer, status in _problems(result):
        alike[status, json.dumps(answer)].append(answer)
    shared: Json = {}
    for (status, form), answers in alike.items():
        if len(answers) > 1:
            name = f"{HTTPStatus(int(status)).phrase.replace(' ', '')}-{len(shared) + 1}"
            shared[name] = json.loads(form)
            for answer in answers:
                answer.clear()
                answer["$ref"] = f"#/components/responses/{name}"
    return shared
