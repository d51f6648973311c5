"""Errors about who calls, and how often."""

from media_jobs.api.shared.limits.rate_limit_fields import QUOTA_EXCEEDED
from media_jobs.api.shared.problem_types.base import ProblemType

_QUOTA_TYPE, _QUOTA_TITLE = QUOTA_EXCEEDED

TYPES = {
    "credential_missing": ProblemType(
        "Credential missing",
        "The call needs to know who calls, and the request carries neither an API key nor a token. Only callers on the "
        "service's own machine may do without, where ALLOW_ANONYMOUS lets them, and none that come through a proxy.",
        "Send the header Authorization: Bearer with a token or an API key. The operator makes keys in the admin or by "
        "manage.py apikey create.",
    ),
    "bad_credential": ProblemType(
        "Credential refused",
        "The key or token is not one that this service takes: it is unknown, revoked, signed by another key, or made "
        "for another service. The detail says which. A call without a credential is something else.",
        "Compare it with what you were given, whole and without quotes; else get a new one.",
    ),
    "credential_expired": ProblemType(
        "Credential expired",
        "The key or token was good until a while ago.",
        "Get a new token, by POST /v1/tokens/refresh where this service issued it; or ask the operator for a new key.",
    ),
    "not_permitted": ProblemType(
        "Not permitted",
        "The caller is known, and may not do this. The detail says why.",
        "Ask the operator.",
    ),
    "insufficient_scope": ProblemType(
        "Scope missing",
        "The key or token was made for something else: scopes are upload, read, manage (cancel, queue again, "
        "change, delete) and shadow (a cut-over's pictures).",
        "Use a credential with the scope that the detail and the header WWW-Authenticate name.",
    ),
    "not_owner": ProblemType(
        "Somebody else’s",
        "The instruction exists, and belongs to another caller.",
        "Call with the credential, and for the user, that made it.",
    ),
    "may_not_act_for_users": ProblemType(
        "May not act for users",
        "The header X-User-ID came without an API key that may act for users. It is refused instead of ignored, "
        "because things would end up with the wrong owner.",
        "Leave the header out, or have the operator make a key that acts for users.",
    ),
    "bad_user_id": ProblemType(
        "Malformed X-User-ID",
        "The header X-User-ID takes 1 to 200 visible ASCII characters.",
        "Send an id of the user that stays the same, such as a number or a UUID.",
    ),
    "foreign_origin": ProblemType(
        "Page of another origin",
        "A browser sent this for a web page of an origin that may not change anything here.",
        "The operator adds the origin of the page to UPLOAD_ORIGINS.",
    ),
    "ticket_invalid": ProblemType(
        "Ticket invalid",
        "A ticket for /v1/events counts once and for a minute. This one was used, is older, or was never issued.",
        "Get another one by POST /v1/events/ticket, and connect at once.",
    ),
    "tokens_not_issued": ProblemType(
        "No tokens of its own",
        "This service issues no tokens, because JWT_SECRET is not set.",
        "Get a token where your organisation issues them, or use an API key.",
    ),
    "sign_in_locked": ProblemType(
        "Too many wrong passwords",
        "So many wrong passwords came for this name from this address that none is looked at for a while.",
        "Wait for as many seconds as the header Retry-After says. Other names and addresses are not concerned.",
    ),
    "quota_exceeded": ProblemType(
        _QUOTA_TITLE,
        "Too many requests came from this caller or address within a minute. The member violated-policies names the "
        "limits that are used up.",
        "Wait for as many seconds as the header Retry-After says. The header RateLimit of each answer tells how many "
        "requests are left.",
        _QUOTA_TYPE,
    ),
    "daily_limit_reached": ProblemType(
        "Files of the day used up",
        "The caller has sent as many files as the product takes from one caller in a day of UTC. Nothing more was "
        "stored.",
        "Wait for as many seconds as the header Retry-After says, or ask the operator for a larger limit.",
    ),
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
        _QUOTA_TYPE,
    ),
}
