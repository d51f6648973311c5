"""Errors of HTTP, and of the moment: most are told before a view has seen the request."""

from media_jobs.api.shared.problem_types.base import ProblemType

_LATER = "Send the request again after as many seconds as the header Retry-After says."

TYPES = {
    "not_http": ProblemType(
        "Not HTTP",
        "What came is no request of HTTP. Most often it is https, sent to the port that speaks http.",
        "Use the address that the operator gives, with its scheme.",
    ),
    "address_too_long": ProblemType(
        "Address too long",
        "The first line of the request, which holds the address, has more than 4 KB.",
        "Ask for less at once: long lists go into several requests.",
    ),
    "expectation_failed": ProblemType(
        "Unknown expectation",
        "The header Expect asks for something that the service does not know.",
        "Send no such header, or 100-continue, as curl does by itself.",
    ),
    "unsupported_transfer_coding": ProblemType(
        "Unknown transfer coding",
        "The header Transfer-Encoding names a coding that the service cannot undo, such as gzip.",
        "Send the body as it is, with Content-Length or in chunks.",
    ),
    "head_too_large": ProblemType(
        "Header fields too large",
        "There are more than 100 header fields, or one has more than 8 KB, or all have together more than 64 KB.",
        "Send fewer or shorter header fields; cookies are the usual cause.",
    ),
    "request_timeout": ProblemType(
        "Request too slow",
        "The head of a request, or its body, came more slowly than the service waits for (HEAD_TIMEOUT_S, "
        "TRANSFER_TIMEOUT_S, MIN_TRANSFER_BYTES_S), or stood still while others waited for room. Nothing was stored.",
        "Send it again, over a better line, or a smaller file. Large files go straight to the storage with POST "
        "/v1/uploads.",
    ),
    "too_many_uploads": ProblemType(
        "No room for another upload",
        "As many uploads are on their way as the service takes at once (WEB_THREADS), and none ended within some "
        "seconds. Nothing was stored.",
        f"{_LATER} The operator may raise WEB_THREADS, or put a proxy in front that takes slow uploads in.",
    ),
    "overloaded": ProblemType(
        "Too many requests at once", "More requests are being answered than the service keeps in hand.", _LATER
    ),
}
