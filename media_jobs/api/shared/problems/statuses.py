"""Which HTTP status the answer to an error has."""

from media_jobs import errors

#: The first class of an error that is in here decides.
STATUS: dict[type[errors.MediaError], int] = {
    errors.BadRequest: 400,
    errors.NotHttp: 400,
    errors.CredentialMissing: 401,
    errors.BadCredential: 401,
    errors.NotPermitted: 403,
    errors.TicketInvalid: 403,
    errors.TokensNotIssued: 404,
    errors.FileCleaned: 404,
    errors.UnknownFlag: 404,
    errors.ObjectMissing: 404,
    errors.UnknownVariant: 404,
    errors.RequestTooSlow: 408,
    errors.WrongState: 409,
    errors.FileTooLarge: 413,
    errors.TooManyPixels: 413,
    errors.AddressTooLong: 414,
    errors.UnsupportedFormat: 415,
    errors.ExpectationFailed: 417,
    errors.IdempotencyKeyReused: 422,
    errors.InstructionFull: 422,
    errors.QuotaExceeded: 429,
    errors.SignInLocked: 429,
    errors.HeadTooLarge: 431,
    errors.AnswerFailed: 500,
    errors.UnsupportedTransferCoding: 501,
    errors.BacklogFull: 503,
    errors.ShadowsFull: 503,
    errors.LimitsUnavailable: 503,
    errors.TokenKeysUnavailable: 503,
    errors.TooManyWaiters: 503,
    errors.TooManyUploads: 503,
    errors.Overloaded: 503,
    errors.StorageUnavailable: 503,
    errors.ReadsNotConfigured: 503,
}
#: Of codes that are no error of ours, or of one that also is the answer to what nobody foresaw.
OTHER_STATUS = {
    "bad_field": {400},
    "not_authenticated": {401},
    "authentication_failed": {401},
    "permission_denied": {403},
    "not_found": {404},
    "method_not_allowed": {405},
    "not_acceptable": {406},
    "fields_too_large": {413},
    "unsupported_media_type": {415},
    "throttled": {429},
    "internal_error": {500},
    "database_unavailable": {503},
}


def status_of(kind: type[errors.MediaError]) -> int | None:
    """Return the status of the answer to an error of this kind; None of one that a request never meets."""
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), None)


def statuses(code: str) -> list[int]:
    """Return the HTTP statuses that answers with this code have; none where it only ever stands in a job."""
    found = {status_of(kind) for kind in errors.all_kinds() if kind.code == code} - {None}
    return sorted({status for status in found if status} | OTHER_STATUS.get(code, set()))
