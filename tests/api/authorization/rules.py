"""Who may call what: one rule for each method of each route. A route that is not in here fails the tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from media_jobs.api.probes import middleware
from media_jobs.callers import Scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a call takes. scope: of a credential; None where everybody may call.

    thing: what the id in the route is of; it is 404 for strangers. permissions: all those with which staff may do it to
    what is another's; with one of them missing they may not. None: no permission makes it theirs.
    stranger: status and code for who may not see it. staff: permissions that staff need for their own things, too.
    named: what the route names, where that is nobody's own.
    """

    scope: Scope | None
    thing: str = ""
    permissions: tuple[str, ...] | None = ()
    stranger: tuple[int, str] = (404, "not_found")
    staff: tuple[str, ...] = ()
    named: str = ""


PUBLIC = Rule(None)
UPLOAD, READ, MANAGE, _ = map(Rule, Scope)
_SEE_JOB = Rule(Scope.READ, "job", ("view_job",))
_SEE_IMAGE = Rule(Scope.READ, "image", ("view_original",))
_CHANGE_IMAGE = Rule(Scope.MANAGE, "image", ("view_original", "change_original"))
_DELETE_IMAGE = Rule(Scope.MANAGE, "image", ("view_original", "delete_original"))
_RESTORE_IMAGE = Rule(Scope.MANAGE, "deleted image", ("view_original", "delete_original"))
_CANCEL_JOB = Rule(Scope.MANAGE, "job", ("view_job", "cancel_job"))
_SEE_ORIGINAL = Rule(Scope.READ, "image", ("view_original", "download_original"))
_SEE_RUN = Rule(Scope.READ, "run", ("manage_reprocessrun",))
_MOVE_RUN = Rule(Scope.MANAGE, "run", ("manage_reprocessrun",))
_SEE_SHADOW = Rule(Scope.READ, "shadow", ("view_job",))
_SEE_WEBHOOK = Rule(Scope.READ, "webhook", None)
_CHANGE_WEBHOOK = Rule(Scope.MANAGE, "webhook", None)

#: Flags are nobody's own: whoever may read may ask.
_FLAG = Rule(Scope.READ, named="image-service")
_NOT_OWNER = (403, "not_owner")
_SEE_INSTRUCTION = Rule(Scope.READ, "instruction", ("view_job",), _NOT_OWNER)
_SEE_DETAIL = Rule(Scope.READ, "detail", ("view_job",), _NOT_OWNER)

#: GET stands for HEAD, too.
RULES: dict[tuple[str, str], Rule] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,  # METRICS_TOKEN closes it; tests/api/test_probes.py
    ("GET", "/"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/docs/problems"): PUBLIC,
    ("GET", "/docs/problems/{}"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    # Derivatives are everybody's; what is private has links and forms that are signed: tests/api/images/test_files.py
    ("GET", "/media/{}"): PUBLIC,
    ("POST", "/media/{}"): PUBLIC,
    ("OPTIONS", "/media/{}"): PUBLIC,
    ("POST", "/v1/tokens"): PUBLIC,
    ("OPTIONS", "/v1/tokens"): PUBLIC,
    ("POST", "/v1/tokens/refresh"): PUBLIC,
    ("OPTIONS", "/v1/tokens/refresh"): PUBLIC,
    ("POST", "/v1/tokens/verify"): PUBLIC,
    ("OPTIONS", "/v1/tokens/verify"): PUBLIC,
    ("GET", "/v1/images"): READ,
    ("POST", "/v1/images"): UPLOAD,
    ("OPTIONS", "/v1/images"): READ,
    ("POST", "/v1/jobs"): UPLOAD,
    ("OPTIONS", "/v1/jobs"): READ,
    ("POST", "/v1/uploads"): UPLOAD,
    ("OPTIONS", "/v1/uploads"): READ,
    ("GET", "/v1/images/{}"): _SEE_IMAGE,
    ("PATCH", "/v1/images/{}"): _CHANGE_IMAGE,
    ("DELETE", "/v1/images/{}"): _DELETE_IMAGE,
    ("OPTIONS", "/v1/images/{}"): READ,
    ("POST", "/v1/images/{}/restore"): _RESTORE_IMAGE,
    ("OPTIONS", "/v1/images/{}/restore"): READ,
    ("GET", "/v1/images/{}/original"): _SEE_ORIGINAL,
    ("OPTIONS", "/v1/images/{}/original"): READ,
    ("GET", "/v1/jobs/{}"): _SEE_JOB,
    ("DELETE", "/v1/jobs/{}"): _CANCEL_JOB,
    ("OPTIONS", "/v1/jobs/{}"): READ,
    ("POST", "/v1/jobs/{}/retry"): Rule(Scope.MANAGE, "failed job", ("view_job", "retry_job")),
    ("OPTIONS", "/v1/jobs/{}/retry"): READ,
    ("GET", "/v1/events"): READ,
    ("OPTIONS", "/v1/events"): READ,
    ("POST", "/v1/events/ticket"): READ,
    ("OPTIONS", "/v1/events/ticket"): READ,
    ("GET", "/v1/webhooks"): READ,
    ("POST", "/v1/webhooks"): MANAGE,
    ("OPTIONS", "/v1/webhooks"): READ,
    ("GET", "/v1/webhooks/{}"): _SEE_WEBHOOK,
    ("PATCH", "/v1/webhooks/{}"): _CHANGE_WEBHOOK,
    ("DELETE", "/v1/webhooks/{}"): _CHANGE_WEBHOOK,
    ("OPTIONS", "/v1/webhooks/{}"): READ,
    ("POST", "/v1/webhooks/{}/secret"): _CHANGE_WEBHOOK,
    ("OPTIONS", "/v1/webhooks/{}/secret"): READ,
    ("POST", "/v1/webhooks/{}/test"): _CHANGE_WEBHOOK,
    ("OPTIONS", "/v1/webhooks/{}/test"): READ,
    ("GET", "/v1/webhooks/{}/deliveries"): _SEE_WEBHOOK,
    ("OPTIONS", "/v1/webhooks/{}/deliveries"): READ,
    ("POST", "/v1/webhooks/{}/deliveries/{}/replay"): Rule(Scope.MANAGE, "delivery", None),
    ("OPTIONS", "/v1/webhooks/{}/deliveries/{}/replay"): READ,
    ("POST", "/v1/webhooks/{}/replay"): _CHANGE_WEBHOOK,
    ("OPTIONS", "/v1/webhooks/{}/replay"): READ,
    ("GET", "/v1/runs"): READ,
    ("POST", "/v1/runs"): MANAGE,
    ("OPTIONS", "/v1/runs"): READ,
    ("GET", "/v1/runs/{}"): _SEE_RUN,
    ("OPTIONS", "/v1/runs/{}"): READ,
    ("GET", "/v1/runs/{}/items"): _SEE_RUN,
    ("OPTIONS", "/v1/runs/{}/items"): READ,
    ("POST", "/v1/runs/{}/confirm"): _MOVE_RUN,
    ("OPTIONS", "/v1/runs/{}/confirm"): READ,
    ("POST", "/v1/runs/{}/pause"): _MOVE_RUN,
    ("OPTIONS", "/v1/runs/{}/pause"): READ,
    ("POST", "/v1/runs/{}/resume"): _MOVE_RUN,
    ("OPTIONS", "/v1/runs/{}/resume"): READ,
    ("POST", "/v1/runs/{}/cancel"): _MOVE_RUN,
    ("OPTIONS", "/v1/runs/{}/cancel"): READ,
    ("POST", "/v1/runs/{}/accept"): _MOVE_RUN,
    ("OPTIONS", "/v1/runs/{}/accept"): READ,
    ("POST", "/v1/runs/{}/rollback"): _MOVE_RUN,
    ("OPTIONS", "/v1/runs/{}/rollback"): READ,
    ("POST", "/v1/shadow"): Rule(Scope.SHADOW, staff=("judge_shadow",)),
    ("OPTIONS", "/v1/shadow"): READ,
    ("GET", "/v1/shadow/{}"): _SEE_SHADOW,
    ("OPTIONS", "/v1/shadow/{}"): READ,
    ("GET", "/v1/staleness"): READ,
    ("OPTIONS", "/v1/staleness"): READ,
    ("GET", "/v1/flags/{}"): _FLAG,
    ("OPTIONS", "/v1/flags/{}"): READ,
    ("POST", "/ofrep/v1/evaluate/flags"): READ,
    ("OPTIONS", "/ofrep/v1/evaluate/flags"): READ,
    ("POST", "/ofrep/v1/evaluate/flags/{}"): _FLAG,
    ("OPTIONS", "/ofrep/v1/evaluate/flags/{}"): READ,
    ("POST", "/api/v1/ingest/upload"): UPLOAD,
    ("OPTIONS", "/api/v1/ingest/upload"): READ,
    ("POST", "/api/v1/ingest/batch"): UPLOAD,
    ("OPTIONS", "/api/v1/ingest/batch"): READ,
    ("GET", "/api/v1/ingest/status/{}"): _SEE_JOB,
    ("OPTIONS", "/api/v1/ingest/status/{}"): READ,
    ("DELETE", "/api/v1/ingest/{}"): _CANCEL_JOB,
    ("OPTIONS", "/api/v1/ingest/{}"): READ,
    ("GET", "/instructions"): READ,
    ("POST", "/instructions"): UPLOAD,
    ("OPTIONS", "/instructions"): READ,
    ("GET", "/instructions/{}"): _SEE_INSTRUCTION,
    ("OPTIONS", "/instructions/{}"): READ,
    ("GET", "/instructions/{}/details"): _SEE_INSTRUCTION,
    ("POST", "/instructions/{}/details"): Rule(Scope.UPLOAD, "instruction", None, _NOT_OWNER),
    ("OPTIONS", "/instructions/{}/details"): READ,
    ("GET", "/instructions/{}/details/{}"): _SEE_DETAIL,
    ("OPTIONS", "/instructions/{}/details/{}"): READ,
    ("GET", "/instructions/{}/details/{}/file"): _SEE_DETAIL,
    ("OPTIONS", "/instructions/{}/details/{}/file"): READ,
    ("GET", "/products"): READ,
    ("OPTIONS", "/products"): READ,
    ("GET", "/files"): Rule(Scope.MANAGE, staff=("view_original",)),
    ("OPTIONS", "/files"): READ,
    ("GET", "/health"): PUBLIC,
    ("OPTIONS", "/health"): PUBLIC,
    ("GET", "/swagger.json"): PUBLIC,
    ("GET", "/api/v1/health"): PUBLIC,
    ("OPTIONS", "/api/v1/health"): PUBLIC,
}

#: Functions do not say which methods they take.
_OF_FUNCTIONS = {
    "/media/{}": {"GET", "POST", "OPTIONS"},
    "/docs/problems": {"GET"},
    "/docs": {"GET"},
    "/openapi.json": {"GET"},
    "/swagger.json": {"GET"},
    "/docs/problems/{}": {"GET"},
    **{probe: {"GET"} for probe in middleware._PROBES},
}


def handled() -> set[tuple[str, str]]:
    """Method and route of everything that the service answers, but for the admin."""
    found = {(method, route) for route, methods in _OF_FUNCTIONS.items() for method in methods}
    for route, pattern in routes(get_resolver()):
        if not route.startswith("/admin/"):
            found |= {(method, route) for method in _methods(route, pattern)}
    return found


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Each route, with {} for what varies."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            simplified = "".join("{}" if "<" in part else part for part in _parts(path))
            yield simplified, entry
        else:
            yield from routes(entry, path)


def _parts(path: str) -> Iterator[str]:
    yield from path.replace(">", ">\0").replace("<", "\0<").split("\0")


def _methods(route: str, pattern: URLPattern) -> set[str]:
    if route in _OF_FUNCTIONS:
        return _OF_FUNCTIONS[route]
    view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
    assert view, f"{route} is a function; say in _OF_FUNCTIONS which methods it takes"
    said: dict[str, Any] = getattr(pattern.callback, "view_initkwargs", {})
    names = said.get("http_method_names", view.http_method_names)
    return {method.upper() for method in names if hasattr(view, method)} - {"HEAD", "TRACE"}
