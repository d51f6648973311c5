"""The fields RateLimit-Policy and RateLimit as in draft-ietf-httpapi-ratelimit-headers-10, and its problem types.

Older drafts had three fields of other names; a newer one needs a change of this module alone.
"""

from collections.abc import Callable, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from media_jobs.services.access.rate_limits import WINDOW_S, State

#: Registered with IANA by the draft: URI and title of each.
_TYPES = "https://iana.org/assignments/http-problem-types#"
QUOTA_EXCEEDED = (f"{_TYPES}quota-exceeded", "Request cannot be satisfied as assigned quota has been exceeded")
REDUCED_CAPACITY = (
    f"{_TYPES}temporary-reduced-capacity",
    "Request cannot be satisfied due to temporary server capacity constraints",
)
VIOLATED = "violated-policies"

_ATTRIBUTE = "_rate_limits"


class RateLimitFields:
    """Middleware that tells callers of the limits that counted their request, whatever came of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        states: Sequence[State] = getattr(request, _ATTRIBUTE, ())
        if states:
            response["RateLimit-Policy"] = ", ".join(map(_policy, states))
            response["RateLimit"] = ", ".join(map(_state, states))
        return response


def remember(request: HttpRequest, states: Sequence[State]) -> None:
    """Keep the limits for the answer."""
    setattr(request, _ATTRIBUTE, states)


def _policy(state: State) -> str:
    return f'"{state.policy.name}";q={state.policy.most};w={WINDOW_S}'


def _state(state: State) -> str:
    return f'"{state.policy.name}";r={state.remaining};t={state.reset_s}'
