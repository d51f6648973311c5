"""What a credential has to be made for, by the method of a call."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from media_jobs.callers import Caller, Scope
from media_jobs.errors import InsufficientScope


class HasScope(BasePermission):
    """Of every view: `read` for what changes nothing, `manage` for all else.

    A view that takes uploads says so: `scopes = {"POST": Scope.UPLOAD}`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises InsufficientScope."""
        check_scope(request, scope_of(request.method or "", view))
        return True


def check_scope(request: Request, needed: Scope) -> None:
    """Raises InsufficientScope unless the credential was made for it."""
    caller = request.user
    held = caller.scopes if isinstance(caller, Caller) else frozenset[Scope]()
    if needed not in held:
        raise InsufficientScope(scope=needed, held=sorted(held))


def scope_of(method: str, view: Any) -> Scope:
    """Return the scope that `method` of `view` needs."""
    default = Scope.READ if method in SAFE_METHODS else Scope.MANAGE
    named: dict[str, Scope] = getattr(view, "scopes", {})
    return named.get(method, default)
