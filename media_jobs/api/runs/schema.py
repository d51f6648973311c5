"""What the OpenAPI document says of runs beside the wire words."""

from drf_spectacular.utils import OpenApiExample

NO_CALLER = ("permission_denied", "A caller without credentials")
NO_RUN = ("not_found", "No such run, or another's")
BAD_FIELD = ("bad_field", "A parameter that is unknown, or has a value that it cannot have")
BAD_RUN = ("bad_field", "A field that is unknown, or has a value that it cannot have; an unknown preset or rendition")
NOT_READ = ("unsupported_media_type", "Neither JSON nor text/csv")

DESCRIBED = [
    OpenApiExample(
        "missing",
        value={"preset": "gallformers", "missing": True},
        summary="Make what is missing",
        request_only=True,
        media_type="application/json",
    ),
    OpenApiExample(
        "stale",
        value={"stale": ["recipe", "engine"], "ratePerMinute": 600, "quietHours": "08:00-18:00"},
        summary="Make anew what the preset or the engine has outdated, by night",
        request_only=True,
        media_type="application/json",
    ),
    OpenApiExample(
        "ids",
        value="id\n01990000-0000-7000-8000-000000000002\n",
        summary="A list of ids",
        request_only=True,
        media_type="text/csv",
    ),
]
