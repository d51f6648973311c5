"""Django settings, all derived from `env.Env`."""

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import dj_database_url
from django.urls import reverse_lazy

from gallimg_site import logs
from gallimg_site.admin_settings import (  # noqa: F401
    AXES_CLIENT_IP_CALLABLE,
    AXES_COOLOFF_TIME,
    AXES_DISABLE_ACCESS_LOG,
    AXES_ENABLE_ADMIN,
    AXES_FAILURE_LIMIT,
    AXES_LOCKOUT_CALLABLE,
    AXES_LOCKOUT_PARAMETERS,
    AXES_RESET_ON_SUCCESS,
    AXES_VERBOSE,
    OTP_TOTP_ISSUER,
    UNFOLD,
)
from gallimg_site.api_settings import (  # noqa: F401
    CORS_ALLOW_HEADERS,
    CORS_ALLOW_METHODS,
    CORS_EXPOSE_HEADERS,
    CORS_PREFLIGHT_MAX_AGE,
    CORS_URLS_REGEX,
    REST_FRAMEWORK,
    SPECTACULAR_SETTINGS,
)
from gallimg_site.data_directory import close_to_others
from gallimg_site.env_fields import ConfigError
from gallimg_site.env_reader import load
from gallimg_site.picture_origins import picture_origins, storage_origins

try:
    ENV = load()
    close_to_others(ENV.GALLIMG_DATA)
    SECRET_KEY = ENV.secret_key
except ConfigError as error:
    sys.exit(f"gallimg cannot start. {error}")

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = False
ALLOWED_HOSTS = ENV.allowed_hosts
PUBLIC_BASE_URL = ENV.base_url
ROOT_URLCONF = "gallimg_site.urls"
WSGI_APPLICATION = "gallimg_site.wsgi.application"
LISTEN_HOST, LISTEN_PORT = ENV.HOST, ENV.PORT
WEB_THREADS, MAX_WAITERS = ENV.WEB_THREADS, ENV.MAX_WAITERS
WORKERS, WORKER_SLOTS, WORKERS_IN_WEB = ENV.WORKERS, ENV.worker_slots, ENV.WORKERS_IN_WEB
HEAD_TIMEOUT_S, KEEP_ALIVE_S = ENV.HEAD_TIMEOUT_S, ENV.KEEP_ALIVE_S
TRANSFER_TIMEOUT_S, MIN_TRANSFER_BYTES_S = ENV.TRANSFER_TIMEOUT_S, ENV.MIN_TRANSFER_BYTES_S

# --- where things are kept ------------------------------------------------------------------------

DATA_DIR = ENV.GALLIMG_DATA
OBJECTS_DIR = DATA_DIR / "objects"
WORK_DIR = DATA_DIR / "work"
EMBEDDED_QUEUE = not ENV.REDIS_URL

#: Django's own, which also count statements, errors and times for /metrics.
_COUNTED = "django_prometheus.db.backends"

if ENV.embedded:
    DATABASES: dict[str, Any] = {
        "default": {
            "ENGINE": f"{_COUNTED}.sqlite3",
            "NAME": DATA_DIR / "gallimg.sqlite3",
            # Whoever is the last to close it writes its log back, and waits for the disk.
            "CONN_MAX_AGE": 60,
            # Without WAL, timeout and IMMEDIATE, concurrent writers meet "database is locked". What a connection
            # keeps of the file, the system has once for all: 2 MB for each are 5 MB of a small machine for nothing.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256;",
            },
        }
    }
else:
    try:
        DATABASES = {"default": dj_database_url.parse(ENV.DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
    except ValueError:  # its text may hold parts of a password
        sys.exit(
            "gallimg cannot start. DATABASE_URL: got a value that is not shown, takes postgres://user:pass@host/name"
        )
    if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
        DATABASES["default"]["ENGINE"] = f"{_COUNTED}.postgresql"
    # A network that swallows packets must not hold up a request, or a worker that has a lease to renew, for longer than
    # 25 s. By libpq's defaults it takes hours until somebody notices.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _embedded_socket() -> Path:
    """A path for Valkey's socket. The kernel allows 107 bytes; deep data directories get a short one elsewhere."""
    near = DATA_DIR / "valkey.sock"
    if len(str(near).encode()) <= 100:
        return near
    name = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"gallimg-{name}" / "valkey.sock"


EMBEDDED_SOCKET = _embedded_socket()
REDIS_URL = ENV.REDIS_URL or f"unix://{EMBEDDED_SOCKET}"
RQ_QUEUES = {
    lane: {
        "URL": REDIS_URL,
        # A last resort: rendering has its own limit, and the heavy lane waits for others before it begins.
        "DEFAULT_TIMEOUT": 900 + 6 * ENV.RENDER_TIMEOUT_S,
        "DEFAULT_RESULT_TTL": 0,
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
    for lane in ("interactive", "bulk", "heavy")
}

S3_BUCKET = ENV.S3_BUCKET
S3_ENDPOINT_URL = ENV.s3_endpoint_url
S3_REGION = ENV.AWS_REGION
S3_WEB_CREDENTIALS = (ENV.AWS_ACCESS_KEY_ID, ENV.AWS_SECRET_ACCESS_KEY, ENV.AWS_SESSION_TOKEN)
S3_WORKER_CREDENTIALS = (
    ENV.WORKER_AWS_ACCESS_KEY_ID,
    ENV.WORKER_AWS_SECRET_ACCESS_KEY,
    ENV.WORKER_AWS_SESSION_TOKEN,
)
S3_READ_CREDENTIALS = (ENV.S3_READ_ACCESS_KEY_ID, ENV.S3_READ_SECRET_ACCESS_KEY, ENV.S3_READ_SESSION_TOKEN)
S3_ADMIN_CREDENTIALS = (ENV.ADMIN_AWS_ACCESS_KEY_ID, ENV.ADMIN_AWS_SECRET_ACCESS_KEY, ENV.ADMIN_AWS_SESSION_TOKEN)
S3_CA_BUNDLE = ENV.AWS_CA_BUNDLE
# Of a site that is moved over, where it is not the storage of this service: bucket, endpoint, region; credentials.
LEGACY_PREFIX, LEGACY_FOLDER = ENV.legacy_prefix, ENV.LEGACY_FOLDER
LEGACY_PREFIX_IN_BUCKET = ENV.legacy_prefix_in_bucket
LEGACY_S3_BUCKET, LEGACY_S3_REGION = ENV.LEGACY_S3_BUCKET, ENV.LEGACY_AWS_REGION or ENV.AWS_REGION
LEGACY_S3_ENDPOINT_URL = ENV.legacy_s3_endpoint_url
LEGACY_S3_CREDENTIALS = (
    ENV.LEGACY_AWS_ACCESS_KEY_ID,
    ENV.LEGACY_AWS_SECRET_ACCESS_KEY,
    ENV.LEGACY_AWS_SESSION_TOKEN,
)
UPLOAD_ORIGINS = ENV.upload_origins
CDN_BASE_URL = ENV.CDN_BASE_URL.rstrip("/")

# --- callers --------------------------------------------------------------------------------------

ALLOW_ANONYMOUS = ENV.lets_anonymous_in
JWT_SECRET, JWT_JWKS_URL = ENV.JWT_SECRET, ENV.JWT_JWKS_URL
JWT_ISSUER, JWT_AUDIENCE, JWT_LEEWAY_S = ENV.JWT_ISSUER, ENV.JWT_AUDIENCE, ENV.JWT_LEEWAY_S
TRUSTED_PROXIES = ENV.trusted_proxies
UPLOADS_PER_MINUTE, READS_PER_MINUTE = ENV.UPLOADS_PER_MINUTE, ENV.READS_PER_MINUTE
ANONYMOUS_UPLOADS_PER_MINUTE = ENV.ANONYMOUS_UPLOADS_PER_MINUTE
ANONYMOUS_READS_PER_MINUTE = ENV.ANONYMOUS_READS_PER_MINUTE
ADDRESS_UPLOADS_PER_MINUTE, ADDRESS_READS_PER_MINUTE = ENV.ADDRESS_UPLOADS_PER_MINUTE, ENV.ADDRESS_READS_PER_MINUTE
SIGN_INS_PER_MINUTE = ENV.SIGN_INS_PER_MINUTE

# --- limits ---------------------------------------------------------------------------------------

QUEUE_SIZE, MAX_BACKLOG, MAX_ATTEMPTS, LEASE_S = ENV.QUEUE_SIZE, ENV.MAX_BACKLOG, ENV.MAX_ATTEMPTS, ENV.LEASE_S
MAX_UPLOAD_BYTES = ENV.MAX_UPLOAD_MB * 1_048_576
S3_PART_CHECKSUM = ENV.s3_part_checksum
INGEST_MAX_UPLOAD_BYTES = ENV.INGEST_MAX_UPLOAD_MB * 1_048_576
BATCH_MAX_FILES, RESTORE_DAYS = ENV.BATCH_MAX_FILES, ENV.RESTORE_DAYS
RAW_MAX_UPLOAD_BYTES = ENV.RAW_MAX_UPLOAD_MB * 1_048_576
RAW_MIN_PREVIEW_PX = ENV.RAW_MIN_PREVIEW_PX
MAX_PIXELS = ENV.MAX_MEGAPIXELS * 1_000_000
SANDBOX_MEMORY_BYTES = ENV.SANDBOX_MEMORY_MB * 1_048_576
RENDER_TIMEOUT_S = ENV.RENDER_TIMEOUT_S
HEAVY_MEMORY_BYTES = max(ENV.HEAVY_MEMORY_MB, ENV.SANDBOX_MEMORY_MB) * 1_048_576
MIN_FREE_DISK_BYTES = ENV.MIN_FREE_DISK_MB * 1_048_576
EVENT_RETENTION_DAYS = ENV.EVENT_RETENTION_DAYS
MAX_SHADOWS, SHADOW_GRACE_S = ENV.MAX_SHADOWS, ENV.SHADOW_GRACE_MINUTES * 60
SHADOW_DAYS, SHADOW_ERROR_LIMIT = ENV.SHADOW_DAYS, ENV.SHADOW_ERRORS_PER_1000 / 1000
BULK_SHARE, RUN_QUIET_HOURS, RUN_FAILURE_LIMIT = ENV.BULK_SHARE, ENV.RUN_QUIET_HOURS, ENV.RUN_FAILURE_LIMIT
CLEANUP_INTERVAL_S = ENV.CLEANUP_INTERVAL_MINUTES * 60
PRESERVE_TIMESTAMPS, PRESERVE_CAMERA_INFO = ENV.PRESERVE_TIMESTAMPS, ENV.PRESERVE_CAMERA_INFO
PRESERVE_GPS, PRESERVE_DEVICE_SERIAL = ENV.PRESERVE_GPS, ENV.PRESERVE_DEVICE_SERIAL
NATS_URI = ENV.NATS_URI
NATS_SUBJECT_IMAGE_REQUESTS = ENV.NATS_SUBJECT_IMAGE_REQUESTS
NATS_SUBJECT_NOTIFICATIONS = ENV.NATS_SUBJECT_NOTIFICATIONS_SSE
NATS_INBOX_PREFIX, NATS_OWNER = ENV.NATS_INBOX_PREFIX, ENV.NATS_OWNER
WEBHOOK_ALLOW_LOOPBACK = ENV.WEBHOOK_ALLOW_LOOPBACK
METRICS_TOKEN, METRICS_PORT, METRICS_HOST = ENV.METRICS_TOKEN, ENV.METRICS_PORT, ENV.METRICS_HOST
DATA_UPLOAD_MAX_MEMORY_SIZE = 65_536  # text fields of one request; files go past it

# --- Django ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "gallimg_site.admin_site.AdminPages",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_prometheus",
    "django_structlog",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "csp",
    "media_jobs.apps.MediaJobsConfig",
]
MIDDLEWARE = [
    "media_jobs.api.probes.middleware.Probes",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "media_jobs.api.shared.origins.OriginCheck",
    "media_jobs.api.shared.limits.rate_limit_fields.RateLimitFields",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "gallimg_site.admin_scripts.AdminScripts",
    "media_jobs.api.shared.request_log.RequestLog",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["gallimg_site.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
# Static files come straight out of the installed packages: no collectstatic step to forget.
WHITENOISE_USE_FINDERS = True
PROMETHEUS_EXPORT_MIGRATIONS = False

_HTTPS = PUBLIC_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SECURE_HSTS_SECONDS = ENV.HSTS_DAYS * 86_400 if _HTTPS else 0
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # other names of the domain are not ours to speak for
    "security.W008",  # plain http is turned to https by the proxy; what comes past it comes from inside, as probes do
    "security.W021",  # a list that ships with browsers is not left within months: nobody joins it by a default
]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL] if _HTTPS else []
CSRF_FAILURE_VIEW = "media_jobs.api.shared.problems.handlers.csrf_failure"

_SELF = "'self'"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [_SELF],
        "script-src": [_SELF],  # gallimg_site/admin_scripts.py says what more those of the admin may do
        "style-src": [_SELF, "'unsafe-inline'"],
        "img-src": [_SELF, "data:", *picture_origins(ENV)],
        "connect-src": [_SELF, *storage_origins(ENV)],  # large files are sent straight to the storage
        "object-src": ["'none'"],
        "base-uri": [_SELF],
        "form-action": [_SELF],
        "frame-ancestors": ["'none'"],
    }
}

# Cookies stay at home: a page elsewhere sends a token, or an API key.
CORS_ALLOWED_ORIGINS = UPLOAD_ORIGINS

LOGGING_CONFIG = None
logs.configure(ENV.LOG_LEVEL)
DJANGO_STRUCTLOG_COMMAND_LOGGING_ENABLED = False
