"""What the document says about callers. Importing this registers it, as whoever makes the document does."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from media_jobs.api.shared.auth import API_KEY, CallerAuthentication
from media_jobs.api.shared.permissions import scope_of


class CallerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Any one of them will do; where anonymous callers are let in, none is needed.

    A view that lets them in nowhere says so: `known_callers_only = True`.
    """

    target_class = CallerAuthentication
    name = ["bearer", "apiKey", "session"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "A token (JWT), or an API key."},
            {"type": "apiKey", "in": "header", "name": API_KEY, "description": "An API key, for who prefers it so."},
            {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": "Staff."},
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        """With the scope that a credential needs, as roles are named since OpenAPI 3.1."""
        scope = scope_of(auto_schema.method, auto_schema.view)
        known: list[dict[str, list[str]]] = [{"bearer": [scope]}, {"apiKey": [scope]}, {"session": []}]
        is_open = settings.ALLOW_ANONYMOUS and not getattr(auto_schema.view, "known_callers_only", False)
        return [{}, *known] if is_open else known


def with_callers(endpoints: list[Any]) -> list[Any]:
    """Leave the calls as they are. drf-spectacular imports this before it looks at any of them."""
    return endpoints
