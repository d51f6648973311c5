"""Settings of the libraries beneath the API that depend on no environment."""

from media_jobs.pipeline.compare.values import Reason, Verdict

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["media_jobs.api.shared.auth.CallerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["media_jobs.api.shared.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["media_jobs.api.shared.limits.throttling.CallerThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["media_jobs.api.shared.bodies.uploads.FormParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "media_jobs.api.shared.problems.handlers.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # JSON it is; `?format=xml` is not another address
}
CORS_URLS_REGEX = r"^/(v1|api|instructions|products|files|health)(/|$)"
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "cache-control",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "last-event-id",
    "traceparent",
    "tracestate",
    "x-api-key",
    "x-user-id",
]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
]
CORS_PREFLIGHT_MAX_AGE = 7200  # the most that Chromium keeps

SPECTACULAR_SETTINGS = {
    "TITLE": "gallimg",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],  # the description is for everybody
    "WEBHOOKS": [
        "media_jobs.api.webhooks.schema.SENT",
        "media_jobs.api.webhooks.schema.SENT_OF_FLAGS",
        "media_jobs.api.webhooks.schema.SENT_AS_TEST",
    ],
    "PREPROCESSING_HOOKS": ["media_jobs.api.shared.openapi.security.with_callers"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "media_jobs.api.events.schema.describe_stream",
        "media_jobs.api.webhooks.schema.describe_sent",
        "media_jobs.api.shared.openapi.document.complete",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": ["done", "error", "processing"],
        "IngestStatusEnum": ["cancelled", "completed", "failed", "processing"],
        "AcceptedStatusEnum": ["processing"],
        "HealthStatusEnum": ["ok", "unavailable"],
        "FileStatusEnum": ["PENDING", "PROCESSING", "DONE", "FAILED"],
        "PartsStatusEnum": ["UP", "DOWN"],
        "VerdictEnum": [verdict.value for verdict in Verdict],
        "ComparisonReasonEnum": [reason.value for reason in Reason],
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # its lists say “90 - 90”
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # its default asks a server elsewhere
}
