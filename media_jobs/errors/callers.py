"""Who may not call, or not so often."""

from media_jobs.errors.requests import BadRequest, RequestError


class CredentialMissing(RequestError):
    code = "credential_missing"
    sentence = (
        "Say who calls: send “Authorization: Bearer” with a token or an API key. "
        "Without either, only callers on the service's own machine are let in, and none that come through a proxy."
    )


class BadCredential(RequestError):
    """Whoever sends it is nobody; the sentence says what is wrong with it, and repeats nothing of it."""

    code = "bad_credential"


class CredentialExpired(BadCredential):
    code = "credential_expired"
    sentence = "{} has expired."


class NotPermitted(RequestError):
    """The caller is known, and may not do this."""

    code = "not_permitted"


class InsufficientScope(NotPermitted):
    code = "insufficient_scope"
    sentence = "This takes a credential with the scope “{scope}”; yours has: {held}."

    def __init__(self, *, scope: str, held: list[str]) -> None:
        self.scope = scope
        super().__init__(scope=scope, held=", ".join(held) or "none")


class NotOwner(NotPermitted):
    code = "not_owner"
    sentence = "This is somebody else’s."


class MayNotActForUsers(NotPermitted):
    code = "may_not_act_for_users"
    sentence = "X-User-ID counts only beside an API key that may act for users. {}"


class ForeignOrigin(NotPermitted):
    code = "foreign_origin"
    sentence = "A page of {origin} may not do this; UPLOAD_ORIGINS does not name it."


class BadUserId(BadRequest):
    code = "bad_user_id"
    sentence = "X-User-ID takes 1 to 200 visible ASCII characters."


class TokensNotIssued(RequestError):
    code = "tokens_not_issued"
    sentence = "This service issues no tokens of its own: JWT_SECRET is not set."


class QuotaExceeded(RequestError):
    """The caller, or the address, has asked too often.

    policies: the names of those limits. retry_after_s: until the last of them is over.
    """

    code = "quota_exceeded"
    sentence = "Too many requests: the limit “{names}” is used up. Try again in {seconds} s."

    def __init__(self, *, policies: list[str], retry_after_s: int) -> None:
        self.policies, self.wait_s = policies, retry_after_s
        super().__init__(names="”, “".join(policies), seconds=retry_after_s)


class DailyLimitReached(QuotaExceeded):
    """The caller has sent as many files as a product takes from one in a day of UTC."""

    code = "daily_limit_reached"
    sentence = (
        "The product takes {limit:,} files of a caller a day, and you have sent as many. Come again in {seconds} s."
    )

    def __init__(self, *, limit: int, retry_after_s: int) -> None:
        self.policies, self.wait_s = ["files-per-day"], retry_after_s
        RequestError.__init__(self, limit=limit, seconds=retry_after_s)


class SignInLocked(RequestError):
    code = "sign_in_locked"
    sentence = "Too many wrong passwords for this name from this address. Try again in {minutes} minutes."
    retry_after_s = 900


class LimitsUnavailable(RequestError):
    """Redis, which counts requests, does not answer; callers whom nobody knows have to wait for it."""

    code = "limits_unavailable"
    sentence = "Requests without credentials cannot be counted at the moment. Please send it again later."
    retry_after_s = 5


class TokenKeysUnavailable(RequestError):
    code = "token_keys_unavailable"
    sentence = "The keys that sign tokens cannot be fetched at the moment. Please send the request again later."
    retry_after_s = 10
