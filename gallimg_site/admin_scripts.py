"""What the admin's scripts may do, and no other page's."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from gallimg_site.admin_site import PREFIX

_Next = Callable[[HttpRequest], HttpResponse]


class AdminScripts:
    """Middleware, within that of django-csp: Alpine, of unfold, compiles the expressions in attributes of pages.

    None of these has a script in it.
    """

    def __init__(self, get_response: _Next) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if request.path_info.startswith(f"/{PREFIX}"):
            response._csp_update = {"script-src": ["'unsafe-eval'"]}  # type: ignore[attr-defined]
        return response
