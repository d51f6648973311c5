"""What the pages of the desk share that belong to no model's list: who may, and the frame around them."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

_View = Callable[..., HttpResponseBase]


def page(permission: str) -> Callable[[_View], _View]:
    """Make a view a page of the admin, for who has `permission`, such as `media_jobs.view_job`."""

    def wrap(view: _View) -> _View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **named)

        return admin.site.admin_view(checked)

    return wrap


def show(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """Answer with a page in the admin's frame."""
    vars(request)["current_app"] = admin.site.name
    frame = admin.site.each_context(request)
    return TemplateResponse(request, template, {**frame, "title": title, **context})


def fragment(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """Answer with a part of a page, without the frame."""
    return TemplateResponse(request, template, context)


def require(request: HttpRequest, permission: str) -> None:
    """Raises PermissionDenied."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def live(request: HttpRequest, answer: HttpResponse, *, over: bool) -> HttpResponse:
    """Answer the script that asks again and again: with nothing where all is as before, and whether it may stop."""
    rendered = answer.render() if isinstance(answer, TemplateResponse) else answer
    etag = f'"{hashlib.sha256(rendered.content).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        rendered = HttpResponse(status=304)
    rendered["ETag"] = etag
    rendered["X-Live"] = "over" if over else "goes-on"
    return rendered
