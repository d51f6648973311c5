"""Parameters and headers that calls of several APIs have."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from media_jobs.api.shared.idempotency import HEADER
from media_jobs.api.shared.readiness import LONGEST_WAIT_S

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Any text of 1 to 255 visible ASCII characters that is new for each new request, such as a UUID. "
    "Sent again within 24 hours with the same request it gets the same answer, and nothing is done twice; that "
    "answer carries `Idempotency-Replayed: true`. A request that was refused does not use its key up.",
)
WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_S, "default": 0},
    OpenApiParameter.QUERY,
    description="Seconds to wait for the job before answering. When very many wait, the answer comes at once.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The ETag of the answer that you have."
)

_RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    {"type": "integer", "minimum": 1, "maximum": 60},
    OpenApiParameter.HEADER,
    response=[200, 202, 304],
    description="Seconds after which to look again.",
)
_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 304],
    description="Changes with all that is said here but `estimatedTime`.",
)
_LOCATION = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    response=[200, 202],
    description="Where to follow the job.",
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201, 202],
    description="`true` where this is the answer to an earlier request with the same key; else absent.",
)

#: Of calls that can be asked again and again for less each time.
TAGGED = [IF_NONE_MATCH, _ETAG]
#: Of calls about a job that wait until it is over, if they are told to.
WAITED_FOR = [WAIT, *TAGGED, _RETRY_AFTER]
#: Of calls that queue a job.
QUEUEING = [WAIT, IDEMPOTENCY_KEY, _LOCATION, _RETRY_AFTER, REPLAYED]
#: Of other calls that are done once, however often they are sent.
ONCE = [IDEMPOTENCY_KEY, REPLAYED]
