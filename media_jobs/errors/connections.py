"""What is wrong with a request as HTTP, or with the moment at which it comes: most never reach a view."""

from media_jobs.errors.requests import BadRequest, RequestError


class NotHttp(RequestError):
    code = "not_http"
    sentence = "This is no HTTP request. Is it https? TLS ends at the proxy in front of this service."


class MalformedRequest(BadRequest):
    """What is wrong is said in words of the parser."""

    sentence = "The request is malformed. {}"


class AddressTooLong(RequestError):
    code = "address_too_long"
    sentence = "The address is too long: the first line of a request may have 4 KB."


class ExpectationFailed(RequestError):
    code = "expectation_failed"
    sentence = "The header Expect may ask for 100-continue, and for nothing else."


class UnsupportedTransferCoding(RequestError):
    code = "unsupported_transfer_coding"
    sentence = "The header Transfer-Encoding may say chunked, and nothing else."


class HeadTooLarge(RequestError):
    code = "head_too_large"
    sentence = "The header fields are too many or too large: 100 may come, each with 8 KB, and 64 KB of all together."


class RequestTooSlow(RequestError):
    """The client sent less than it has to within its time, or nothing at all."""

    code = "request_timeout"
    sentence = "The request came too slowly, or not at all, and was given up. Nothing was stored. Please send it again."
    retry_after_s = 5


class TooManyUploads(RequestError):
    code = "too_many_uploads"
    sentence = "As many uploads as can be taken are on their way. Nothing was stored. Please send it again later."
    retry_after_s = 5


class Overloaded(RequestError):
    code = "overloaded"
    sentence = "More requests are being answered than can be. Please send it again later."
    retry_after_s = 5
