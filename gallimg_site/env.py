"""All settings: every one is a field of `Env`, against which the README's table is tested. `env_reader` reads them."""

import dataclasses
import ipaddress
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from gallimg_site.env_fields import ConfigError, is_loopback, listed, setting

LOG_LEVELS = ("debug", "info", "warn", "error")
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
#: What slots compute beside their decoders takes a fifth of a processor each, of the one that a process has.
SLOTS_OF_A_PROCESS = 4


@dataclasses.dataclass(frozen=True)
class Env:
    SECRET_KEY: str = setting(
        "", "Signs sessions and links. Embedded: made once, kept in the data directory", secret=True
    )
    ALLOWED_HOSTS: str = setting("", "Comma-separated host names; by default loopback and the host of PUBLIC_BASE_URL")
    HOST: str = setting("127.0.0.1", "Address to listen on; on other ones than loopback every call needs a credential")
    PORT: int = setting(8080, "Port to listen on", least=1, most=65535)
    PUBLIC_BASE_URL: str = setting("", "How the world reaches this service, for links; by default http://HOST:PORT")
    CDN_BASE_URL: str = setting(
        "", "Where derivatives are served from; by default the bucket or /media of this service"
    )
    LOG_LEVEL: str = setting("info", "How much is logged", choices=LOG_LEVELS)
    DATABASE_URL: str = setting("", "postgres://…; by default SQLite in the data directory", secret=True)
    REDIS_URL: str = setting("", "redis://…; by default a Valkey server of our own", secret=True)
    GALLIMG_DATA: Path = setting(Path("var"), "Data directory")  # noqa: RUF009  (it makes a field)
    WORKERS: int = setting(
        2,
        "Slots of workers that `serve` starts: how many pictures at once; 0 for a web server alone",
        least=0,
        most=64,
    )
    WORKERS_IN_WEB: str = setting(
        "auto",
        "Whether these slots are threads of the web process, which saves 25 MB; auto: "
        "up to four slots of a machine or container with at most 512 MB",
        choices=("auto", "true", "false"),
    )
    WEB_THREADS: int = setting(40, "Threads of the web process: how many requests at once", least=2, most=1000)
    HEAD_TIMEOUT_S: int = setting(20, "Seconds within which the head of a request has to arrive", least=1, most=600)
    TRANSFER_TIMEOUT_S: int = setting(
        30,
        "Seconds that a client may take over a body, and over an answer, beside those of MIN_TRANSFER_BYTES_S",
        least=1,
        most=3600,
    )
    MIN_TRANSFER_BYTES_S: int = setting(
        4096, "Least rate of bodies and answers in bytes a second, beyond those seconds", least=1
    )
    KEEP_ALIVE_S: int = setting(
        75, "Seconds for which a connection without a request stays open; longer than in the proxy", least=1, most=3600
    )
    MAX_WAITERS: int = setting(
        256,
        "Requests of the web process that may wait for a job or for events; they take no thread",
        least=0,
        most=10000,
    )
    QUEUE_SIZE: int = setting(64, "Most wake-ups in RQ at once, per lane; jobs wait in the database", least=1)
    MAX_BACKLOG: int = setting(10000, "Waiting jobs past which uploads get 503", least=1)
    MAX_UPLOAD_MB: int = setting(30, "Largest upload in MB, unless it is a camera raw file", least=1, most=5000)
    INGEST_MAX_UPLOAD_MB: int = setting(15, "– of /api/v1/ingest", least=1, most=5000)
    RAW_MAX_UPLOAD_MB: int = setting(100, "Largest camera raw file in MB", least=1, most=5000)
    RAW_MIN_PREVIEW_PX: int = setting(
        640, "Longer side in pixels of the smallest preview that a camera raw file is shown by", least=1, most=20000
    )
    BATCH_MAX_FILES: int = setting(20, "Most files of one batch of /api/v1/ingest", least=1, most=100)
    MAX_MEGAPIXELS: int = setting(100, "Largest picture in millions of pixels", least=1, most=2000)
    MAX_ATTEMPTS: int = setting(3, "How often a job is tried before it fails", least=1, most=100)
    LEASE_S: int = setting(60, "Seconds after which a silent worker loses its job", least=5, most=3600)
    RENDER_TIMEOUT_S: int = setting(
        120, "Seconds that rendering a picture may take; three times that on the heavy lane", least=1, most=3600
    )
    SANDBOX_MEMORY_MB: int = setting(768, "Address space that one picture may take in the decoder", least=192)
    HEAVY_MEMORY_MB: int = setting(
        1536, "– on the heavy lane, where a picture that needed more is rendered alone on its host", least=192
    )
    MIN_FREE_DISK_MB: int = setting(
        200, "Room on the disk of files storage and temporary files below which nothing is accepted", least=0
    )
    EVENT_RETENTION_DAYS: int = setting(
        0, "Days after which the history of finished jobs is removed; 0 keeps it for ever", least=0
    )
    RESTORE_DAYS: int = setting(7, "Days for which a deleted image can be restored", least=0, most=3650)
    CLEANUP_INTERVAL_MINUTES: int = setting(30, "How often workers sweep leftovers", least=1)
    BULK_SHARE: int = setting(
        25, "Share of the workers' time, in per cent, that reprocessing gets while uploads wait", least=0, most=90
    )
    RUN_QUIET_HOURS: str = setting(
        "", "When reprocess runs begin nothing new, as in 08:00-18:00; a run may say otherwise. By default never"
    )
    RUN_FAILURE_LIMIT: int = setting(
        20, "Share of failures, in per cent, at which a reprocess run stops and asks; 100: never", least=1, most=100
    )
    LEGACY_PREFIX: str = setting(
        "",
        "Folder where a site that is moved over has its pictures, by default gall/; only read, here as below. Set it "
        "where that is a folder of S3_BUCKET: “manage.py bucket” then grants to read it",
    )
    LEGACY_FOLDER: str = setting(
        "", "Directory that holds LEGACY_PREFIX, where the site has files; by default the bucket"
    )
    LEGACY_S3_BUCKET: str = setting("", "Bucket that holds LEGACY_PREFIX; by default the storage of this service")
    LEGACY_S3_ENDPOINT: str = setting("", "URL of its server; by default S3_ENDPOINT")
    LEGACY_AWS_REGION: str = setting("", "Its region; by default AWS_REGION")
    LEGACY_AWS_ACCESS_KEY_ID: str = setting(
        "", "S3 credentials of the workers for it (read-only suffices); by default those of the workers"
    )
    LEGACY_AWS_SECRET_ACCESS_KEY: str = setting("", "– their secret", secret=True)
    LEGACY_AWS_SESSION_TOKEN: str = setting("", "– their session token, where STS gave them", secret=True)
    MAX_SHADOWS: int = setting(1000, "Shadows that wait for workers past which no more are taken", least=0)
    SHADOW_GRACE_MINUTES: int = setting(
        60, "Time that the site may take until its pictures are there, and else count as not made", least=0
    )
    SHADOW_DAYS: int = setting(30, "Days for which pictures of shadows are kept; 0 keeps them for ever", least=0)
    SHADOW_ERRORS_PER_1000: int = setting(
        5,
        "Errors among 1,000 shadows past which a guarded feature flag is not raised, and falls back",
        least=1,
        most=999,
    )
    AWS_ACCESS_KEY_ID: str = setting(
        "", "S3 credentials of the web process (write-only suffices)", aliases=("S3_ACCESS_KEY",)
    )
    AWS_SECRET_ACCESS_KEY: str = setting("", "– their secret", aliases=("S3_SECRET_KEY",), secret=True)
    AWS_SESSION_TOKEN: str = setting(
        "", "– their session token, where STS gave them", aliases=("S3_SESSION_TOKEN",), secret=True
    )
    AWS_REGION: str = setting("us-east-1", "Region of the bucket", aliases=("S3_REGION",))
    S3_BUCKET: str = setting("", "Bucket for originals and derivatives; by default files in the data directory")
    S3_ENDPOINT: str = setting("", "URL of an S3-compatible server; by default AWS")
    S3_USE_SSL: bool = setting(True, "Whether an S3_ENDPOINT without a scheme is https")
    S3_PART_CHECKSUM: str = setting(
        "auto",
        "What protects the parts of large uploads on their way: auto is sha256, and md5 on Cloudflare R2, "
        "which refuses the other",
        choices=("auto", "sha256", "md5"),
    )
    WORKER_AWS_ACCESS_KEY_ID: str = setting(
        "", "S3 credentials of the workers (read, write, list, delete); by default the web's"
    )
    WORKER_AWS_SECRET_ACCESS_KEY: str = setting("", "– their secret", secret=True)
    WORKER_AWS_SESSION_TOKEN: str = setting("", "– their session token, where STS gave them", secret=True)
    S3_READ_ACCESS_KEY_ID: str = setting("", "Read-only S3 credentials that sign links to originals")
    S3_READ_SECRET_ACCESS_KEY: str = setting("", "– their secret", secret=True)
    S3_READ_SESSION_TOKEN: str = setting("", "– their session token, where STS gave them", secret=True)
    ADMIN_AWS_ACCESS_KEY_ID: str = setting(
        "", "S3 credentials for `manage.py bucket` alone, given with that command; never to a running service"
    )
    ADMIN_AWS_SECRET_ACCESS_KEY: str = setting("", "– their secret", secret=True)
    ADMIN_AWS_SESSION_TOKEN: str = setting("", "– their session token, where STS gave them", secret=True)
    AWS_CA_BUNDLE: str = setting(
        "", "File with the certificates of an authority of your own that signed the storage's; by default the world's"
    )
    UPLOAD_ORIGINS: str = setting(
        "",
        "Comma-separated origins of web pages that may call the APIs and upload to the bucket, as in https://example.org",
    )
    ALLOW_ANONYMOUS: bool = setting(
        True,
        "Accept calls without credentials from this machine: only while HOST, ALLOWED_HOSTS and PUBLIC_BASE_URL are "
        "loopback, and never through a proxy",
    )
    JWT_SECRET: str = setting(
        "", "Secret of at least 32 bytes for tokens signed with HS256, and for those that we issue", secret=True
    )
    JWT_JWKS_URL: str = setting("", "Where the keys of tokens signed with RS, ES or EdDSA are published")
    JWT_ISSUER: str = setting("", "What a token has to name as its issuer (iss); by default any")
    JWT_AUDIENCE: str = setting("", "What a token has to be meant for (aud); by default anything")
    JWT_LEEWAY_S: int = setting(30, "Seconds by which the clock of whoever issues tokens may differ", least=0, most=300)
    TRUSTED_PROXIES: str = setting(
        "", "Comma-separated addresses or networks of proxies whose X-Forwarded-For says who the client is"
    )
    UPLOADS_PER_MINUTE: int = setting(1200, "Uploads of one caller in a minute; 0 for no limit, here as below", least=0)
    READS_PER_MINUTE: int = setting(24000, "All other calls of one caller in a minute", least=0)
    ANONYMOUS_UPLOADS_PER_MINUTE: int = setting(600, "Uploads of all callers without credentials together", least=0)
    ANONYMOUS_READS_PER_MINUTE: int = setting(12000, "All other calls of callers without credentials", least=0)
    ADDRESS_UPLOADS_PER_MINUTE: int = setting(6000, "Uploads from one address, by whomever", least=0)
    ADDRESS_READS_PER_MINUTE: int = setting(60000, "All other calls from one address", least=0)
    SIGN_INS_PER_MINUTE: int = setting(10, "Tokens asked for from one address by name and password", least=0)
    WEBHOOK_ALLOW_LOOPBACK: bool = setting(
        False, "Send webhooks to this very host, and by http, too: for trying them, never in production"
    )
    NATS_URI: str = setting(
        "", "nats://… or tls://…: where changes of jobs are published; by default nowhere", secret=True
    )
    NATS_SUBJECT_IMAGE_REQUESTS: str = setting(
        "image.requests", "Subject of new work, and of requests that others send to `consume_image_requests`"
    )
    NATS_SUBJECT_NOTIFICATIONS_SSE: str = setting("notifications.sse", "Subject of changes of a job's status")
    NATS_INBOX_PREFIX: str = setting(
        "", "Prefix of keys, such as inbox/, where others may store files that they request by NATS, beside uploads/"
    )
    NATS_OWNER: str = setting(
        "nats",
        "Whose users the userId of requests by NATS means: key:PREFIX for those of an API key, or an issuer of tokens",
    )
    PRESERVE_TIMESTAMPS: bool = setting(True, "Keep the date a picture was taken in the database")
    PRESERVE_CAMERA_INFO: bool = setting(True, "Keep camera, lens and exposure in the database")
    PRESERVE_GPS: bool = setting(False, "Keep the position a picture was taken at in the database")
    PRESERVE_DEVICE_SERIAL: bool = setting(False, "Keep serial numbers of camera and lens in the database")
    HSTS_DAYS: int = setting(
        365, "Days for which browsers that came by https come by nothing else; 0 does not tell them", least=0, most=3650
    )
    METRICS_TOKEN: str = setting(
        "", "Bearer token that /metrics asks for; without one it answers this machine alone", secret=True
    )
    METRICS_PORT: int = setting(
        0,
        "Port where each process tells its own metrics: the web process there, worker processes of `serve` on those "
        "that follow, one for each four of WORKERS; 0 for none",
        least=0,
        most=65000,
    )
    METRICS_HOST: str = setting("127.0.0.1", "Address of these ports; on others than loopback set METRICS_TOKEN, too")

    @property
    def worker_slots(self) -> list[int]:
        """How many slots each worker process of `serve` has: of a few, and hardly more in one than in another."""
        processes = -(-self.WORKERS // SLOTS_OF_A_PROCESS)
        return [(self.WORKERS + number) // processes for number in range(processes)]

    @property
    def embedded(self) -> bool:
        """Whether the database is the one in the data directory."""
        return not self.DATABASE_URL

    @property
    def base_url(self) -> str:
        host = f"[{self.HOST}]" if ":" in self.HOST else self.HOST
        return self.PUBLIC_BASE_URL.rstrip("/") or f"http://{host}:{self.PORT}"

    @property
    def allowed_hosts(self) -> list[str]:
        named = listed(self.ALLOWED_HOSTS)
        own = urlsplit(self.base_url).hostname or self.HOST
        return named or ["localhost", "127.0.0.1", "[::1]", f"[{own}]" if ":" in own else own]

    @property
    def upload_origins(self) -> list[str]:
        return [origin.rstrip("/") for origin in listed(self.UPLOAD_ORIGINS)]

    @property
    def trusted_proxies(self) -> list[IPNetwork]:
        """Raises ValueError for what is neither an address nor a network."""
        return [ipaddress.ip_network(proxy) for proxy in listed(self.TRUSTED_PROXIES)]

    @property
    def lets_anonymous_in(self) -> bool:
        """Whether calls without credentials are accepted: not where a name or address says that the world comes."""
        names = (self.HOST, urlsplit(self.base_url).hostname or "", *self.allowed_hosts)
        return self.ALLOW_ANONYMOUS and all(map(is_loopback, names))

    @property
    def s3_endpoint_url(self) -> str | None:
        return self._with_scheme(self.S3_ENDPOINT)

    @property
    def legacy_s3_endpoint_url(self) -> str | None:
        return self._with_scheme(self.LEGACY_S3_ENDPOINT or self.S3_ENDPOINT)

    @property
    def legacy_prefix(self) -> str:
        return self.LEGACY_PREFIX or "gall/"

    @property
    def legacy_prefix_in_bucket(self) -> str:
        """What of S3_BUCKET is the site's, and is to be readable: nothing unless somebody says so."""
        return "" if self.LEGACY_FOLDER or self.LEGACY_S3_BUCKET else self.LEGACY_PREFIX

    def _with_scheme(self, endpoint: str) -> str | None:
        if not endpoint or "://" in endpoint:
            return endpoint or None
        return f"{'https' if self.S3_USE_SSL else 'http'}://{endpoint}"

    @property
    def s3_part_checksum(self) -> str:
        if self.S3_PART_CHECKSUM != "auto":
            return self.S3_PART_CHECKSUM
        host = urlsplit(self.s3_endpoint_url or "").hostname or ""
        return "md5" if host.endswith(".r2.cloudflarestorage.com") else "sha256"

    @property
    def secret_key(self) -> str:
        """SECRET_KEY, or the embedded one, made on first use."""
        if self.SECRET_KEY:
            return self.SECRET_KEY
        path = self.GALLIMG_DATA / "secret_key"
        try:
            self.GALLIMG_DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                fresh = path.with_suffix(f".{os.getpid()}")
                fresh.touch(mode=0o600)
                fresh.write_text(secrets.token_urlsafe(50))
                fresh.replace(path)
            return path.read_text()
        except OSError as error:
            raise ConfigError(
                f"GALLIMG_DATA: got {str(self.GALLIMG_DATA)!r}, which cannot be used ({error.strerror}); "
                "takes a directory that you may write to"
            ) from error
