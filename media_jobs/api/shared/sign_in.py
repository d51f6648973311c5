"""Signing in by name and password: what is logged of a failure, and what those see who have guessed too often.

django-axes counts failures by name and address, in the database, for the admin and for /v1/tokens alike.
"""

from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from media_jobs.api.shared import routes
from media_jobs.api.shared.addresses import client
from media_jobs.api.shared.problems import handlers
from media_jobs.errors import SignInLocked

log = structlog.get_logger(__name__)

_MOST_CHARACTERS = 150


def register() -> None:
    """Have failures logged."""
    user_login_failed.connect(_log_failure, dispatch_uid="sign_in_failed")


def locked_out(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """`AXES_LOCKOUT_CALLABLE`: the answer in place of any other, also to the right password."""
    error = SignInLocked(minutes=int(settings.AXES_COOLOFF_TIME.total_seconds() // 60))
    if routes.is_of_api(request.path_info):
        return handlers.answer(request, error)
    answer = render(request, "admin/locked_out.html", {"error": error}, status=429)
    answer["Retry-After"] = str(error.retry_after_s)
    return answer


def _log_failure(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Name the account that was asked for, and who asked. The password is not among `credentials`."""
    name = str(credentials.get("username", ""))[:_MOST_CHARACTERS]
    log.warning("sign_in_failed", account=name, ip=str(client(request) or "") if request else "")
