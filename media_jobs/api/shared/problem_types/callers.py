"""Errors about who calls, and how often."""

from media_jobs.api.shared.problem_types.base import ProblemType

QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_QUOTA_TITLE = "Request cannot be satisfied as assigned quota has been exceeded"

TYPES = {
    "not_authenticated": ProblemType(
        "Not authenticated",
        "The call needs to know who calls, and the request carries no credential.",
        "Send the header Authorization: Bearer with a token, or an API key.",
    ),
    "authentication_failed": ProblemType(
        "Credential refused",
        "The request carries a credential that is not valid. The detail says why.",
        "Get a new one, and send it whole.",
    ),
    "permission_denied": ProblemType(
        "Not permitted",
        "The caller is known, and may not do this: it is somebody else's, needs a permission or scope that is "
        "missing, or a browser's cookie came without its CSRF token.",
        "Ask the operator for the permission. Signed in by cookie, send the token in the header X-CSRFToken.",
    ),
    "throttled": ProblemType(
        _QUOTA_TITLE,
        "Too many requests came from this caller or address within a short time.",
        "Wait for as many seconds as the header Retry-After says, and then go on more slowly.",
        QUOTA_EXCEEDED,
    ),
}
