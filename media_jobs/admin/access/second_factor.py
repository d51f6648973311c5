"""The page on which people set up their second factor, and remove it."""

from typing import Any, cast

import segno
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from media_jobs.admin import desk
from media_jobs.admin.base import caller_of
from media_jobs.errors import MediaError
from media_jobs.services.access import second_factor as factors


@admin.site.admin_view
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def second_factor(request: HttpRequest) -> HttpResponse:
    """Show how it stands with one's own account; do what a button says."""
    person = cast("User", request.user)
    codes: list[str] = []
    if request.method == "POST":
        try:
            if "remove" in request.POST:
                _remove(request, person)
                return HttpResponseRedirect(reverse("desk:second_factor"))
            codes = factors.confirm(person, request.POST.get("code", ""), actor=caller_of(person))
        except MediaError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("desk:second_factor"))
    context: dict[str, Any] = {"codes": codes, "needed": factors.is_needed(person)}
    if context["needed"]:
        context["left"] = factors.recovery_codes_left(person)
    else:
        device = factors.begin(person)
        picture = segno.make(device.config_url, error="m").svg_data_uri(scale=5, border=4, light="#fff")
        context |= {"secret": factors.secret_of(device), "picture": picture}
    return desk.show(request, "admin/people/second_factor.html", "Second factor", **context)


def _remove(request: HttpRequest, person: User) -> None:
    if factors.accepts(person, request.POST.get("code", "")):
        factors.remove(person, actor=caller_of(person))
        messages.success(request, "It is removed: your password is enough again.")
    else:
        messages.error(request, "This code is wrong, or was used before.")
