"""Pages about errors: the `type` of a problem document leads here, offline too."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from media_jobs.api.shared.openapi import captured
from media_jobs.api.shared.problem_types import GROUPS, TYPES, page_of
from media_jobs.api.shared.problems.statuses import statuses


@cache_control(public=True, max_age=3600)
@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """All errors, by who can mend them."""
    groups = [
        (heading, [(code, page_of(code), kind, statuses(code)) for code, kind in types.items()])
        for heading, types in GROUPS.items()
    ]
    return render(request, "problems/list.html", {"groups": groups})


@cache_control(public=True, max_age=3600)
@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """What one error means, and what to do."""
    if code not in TYPES:
        raise Http404
    group = next(heading for heading, types in GROUPS.items() if code in types)
    example = captured.PROBLEMS.get(code)
    context = {
        "code": code,
        "kind": TYPES[code],
        "group": group,
        "statuses": statuses(code),
        "example": json.dumps(example, indent=2, ensure_ascii=False) if example else "",
    }
    return render(request, "problems/page.html", context)
