"""The environment, read and validated once. Nothing else in the project reads `os.environ`."""

import dataclasses
import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dotenv

from gallimg_site.env import SLOTS_OF_A_PROCESS, Env
from gallimg_site.env_fields import ConfigError, is_loopback, listed, takes
from media_jobs import keys

#: Of JWT_SECRET. RFC 7518 wants as many bits as the hash has; PyJWT only warns of fewer.
LEAST_SECRET_BYTES = 32
#: How AWS begins the ids of keys that last for hours.
_TEMPORARY = "ASIA"
_ENCODING = "(in user and password write / as %2F, # as %23, ? as %3F, @ as %40, % as %25)"

_SUBJECT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_FOLDER = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/)+")

_SWITCH = {"1": True, "t": True, "true": True, "y": True, "yes": True, "on": True}
_SWITCH |= {"0": False, "f": False, "false": False, "n": False, "no": False, "off": False}


def load() -> Env:
    """Read environment and `.env`. Raises ConfigError at the first wrong value."""
    try:
        # The real environment comes first, also where it says "nothing" to what `.env` says.
        dotenv.load_dotenv(stream=io.StringIO(Path(".env").read_text("utf-8")))
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise ConfigError(".env: got what cannot be read, takes a text file with lines NAME=value") from error
    env = Env(**{field.name: _value(field) for field in dataclasses.fields(Env)})
    _check_urls(env)
    _check_addresses(env)
    _check_credentials(env)
    _check_callers(env)
    _check_nats(env)
    _check_legacy(env)
    _check_together(env)
    return env


def _value(field: "dataclasses.Field[Any]") -> Any:
    meta, default = field.metadata, field.default
    given = {name: raw for name in (field.name, *meta["aliases"]) if (raw := os.environ.get(name))}
    if not given:
        return default.resolve() if isinstance(default, Path) else default
    name, raw = next(iter(given.items()))
    if len(set(given.values())) > 1:
        raise ConfigError(f"{' and '.join(given)} say different things; set one of them")
    try:
        return _parsed(raw, field)
    except (KeyError, ValueError) as error:
        got = "a value that is not shown" if meta["secret"] else repr(raw)
        raise ConfigError(f"{name}: got {got}, takes {takes(field)}") from error


def _parsed(raw: str, field: "dataclasses.Field[Any]") -> Any:
    """The value that `raw` stands for. Raises KeyError or ValueError for what the setting does not take."""
    meta = field.metadata
    if field.type is bool:
        return _SWITCH[raw.strip().lower()]
    if field.type is int:
        value = int(raw)
        if (meta["least"] is not None and value < meta["least"]) or (meta["most"] is not None and value > meta["most"]):
            raise ValueError
        return value
    if field.type is Path:
        return Path(raw).expanduser().resolve()
    if not meta["choices"]:
        return raw
    if raw.lower() not in meta["choices"]:
        raise ValueError
    return raw.lower()


def _check_urls(env: Env) -> None:
    """Never repeat them: they hold passwords."""
    for name, schemes, takes_ in (
        ("DATABASE_URL", ("postgres", "postgresql"), "postgres://user:password@host/name"),
        ("REDIS_URL", ("redis", "rediss", "unix"), "redis://user:password@host:port/number, rediss:// for TLS"),
    ):
        value = getattr(env, name)
        if value and not (_is_url(value, *schemes) and _is_encoded(value) and _has_a_number(value)):
            raise ConfigError(f"{name}: got a value that is not shown, takes {takes_} {_ENCODING}")


def _check_credentials(env: Env) -> None:
    for prefix in ("AWS_", "WORKER_AWS_", "S3_READ_", "LEGACY_AWS_", "ADMIN_AWS_"):
        names = (f"{prefix}ACCESS_KEY_ID", f"{prefix}SECRET_ACCESS_KEY", f"{prefix}SESSION_TOKEN")
        key, secret, token = (getattr(env, name) for name in names)
        if bool(key) != bool(secret):
            raise ConfigError(f"{names[0]} and {names[1]}: one is set and the other is not; set both or none")
        if key.startswith(_TEMPORARY) and not token:
            raise ConfigError(
                f"{names[2]}: not set, but {names[0]} is the key of temporary credentials ({_TEMPORARY}…); takes the "
                "session token that STS gave with it. A service that runs for long wants a user's own key"
            )
        if token and not key:
            raise ConfigError(f"{names[2]}: set, but {names[0]} is not; set all three or none")
    if env.AWS_CA_BUNDLE and not Path(env.AWS_CA_BUNDLE).is_file():
        raise ConfigError(f"AWS_CA_BUNDLE: got {env.AWS_CA_BUNDLE!r}, takes a file with certificates (PEM)")


def _check_addresses(env: Env) -> None:
    for name in ("PUBLIC_BASE_URL", "CDN_BASE_URL"):
        value = getattr(env, name)
        if value and not _is_address(value, "http", "https"):
            raise ConfigError(f"{name}: got {shown(value)!r}, takes an address that starts with http:// or https://")
    if urlsplit(env.PUBLIC_BASE_URL)._replace(scheme="", netloc="").geturl().strip("/"):
        raise ConfigError(
            f"PUBLIC_BASE_URL: got {shown(env.PUBLIC_BASE_URL)!r}, takes scheme and host alone, as in "
            "https://example.org: the service answers at the root of a host of its own"
        )
    for origin in env.upload_origins:
        if not _is_address(origin, "http", "https") or urlsplit(origin).path:
            raise ConfigError(f"UPLOAD_ORIGINS: got {shown(origin)!r}, takes origins like https://example.org")
    for name, url in (("S3_ENDPOINT", env.s3_endpoint_url), ("LEGACY_S3_ENDPOINT", env.legacy_s3_endpoint_url)):
        value = getattr(env, name)
        if value and not _is_address(url or "", "http", "https"):
            raise ConfigError(f"{name}: got {shown(value)!r}, takes host:port or an http:// or https:// address")


def _check_nats(env: Env) -> None:
    for server in listed(env.NATS_URI):
        if not _is_address(server, "nats", "tls"):
            raise ConfigError("NATS_URI: got a value that is not shown, takes nats://host:port, or several with commas")
    for name in ("NATS_SUBJECT_IMAGE_REQUESTS", "NATS_SUBJECT_NOTIFICATIONS_SSE"):
        if not _SUBJECT.fullmatch(getattr(env, name)):
            raise ConfigError(f"{name}: got {getattr(env, name)!r}, takes a subject like image.requests")
    if env.NATS_SUBJECT_IMAGE_REQUESTS == env.NATS_SUBJECT_NOTIFICATIONS_SSE:
        raise ConfigError(f"NATS_SUBJECT_NOTIFICATIONS_SSE: got {env.NATS_SUBJECT_IMAGE_REQUESTS!r}, takes another one")
    prefix = env.NATS_INBOX_PREFIX
    if prefix and (not _FOLDER.fullmatch(prefix) or prefix.startswith(keys.PREFIXES)):
        raise ConfigError(f"NATS_INBOX_PREFIX: got {prefix!r}, takes a folder that is none of ours, like inbox/")
    if "|" in env.NATS_OWNER or not env.NATS_OWNER.isascii() or not env.NATS_OWNER.isprintable():
        raise ConfigError(f"NATS_OWNER: got {env.NATS_OWNER!r}, takes a name without “|”, like nats or key:a1b2c3d4")


def _check_legacy(env: Env) -> None:
    if env.legacy_prefix.startswith(keys.PREFIXES) or not _FOLDER.fullmatch(env.legacy_prefix):
        raise ConfigError(f"LEGACY_PREFIX: got {env.LEGACY_PREFIX!r}, takes a folder that is none of ours, like gall/")
    if env.LEGACY_FOLDER and env.LEGACY_S3_BUCKET:
        raise ConfigError("LEGACY_FOLDER and LEGACY_S3_BUCKET: both are set; the site's pictures are in one of them")
    if env.LEGACY_FOLDER and not Path(env.LEGACY_FOLDER).is_absolute():
        raise ConfigError(f"LEGACY_FOLDER: got {env.LEGACY_FOLDER!r}, takes an absolute path, like /srv/site/images")
    keys_of = ("LEGACY_AWS_ACCESS_KEY_ID", "WORKER_AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID")
    if env.LEGACY_S3_BUCKET and not any(getattr(env, name) for name in keys_of):
        raise ConfigError(
            "LEGACY_AWS_ACCESS_KEY_ID: not set, but LEGACY_S3_BUCKET is; takes the key of an S3 user who may read there"
        )


def _check_callers(env: Env) -> None:
    if env.JWT_SECRET and len(env.JWT_SECRET.encode()) < LEAST_SECRET_BYTES:
        raise ConfigError(
            f"JWT_SECRET: got {len(env.JWT_SECRET.encode())} bytes, takes at least {LEAST_SECRET_BYTES}, "
            "as HS256 wants them"
        )
    if env.JWT_JWKS_URL and not _is_address(env.JWT_JWKS_URL, "http", "https"):
        raise ConfigError(f"JWT_JWKS_URL: got {shown(env.JWT_JWKS_URL)!r}, takes an http:// or https:// address")
    if "|" in env.JWT_ISSUER or env.JWT_ISSUER.startswith("key:"):
        raise ConfigError(f"JWT_ISSUER: got {env.JWT_ISSUER!r}, takes a name without “|” that does not begin with key:")
    try:
        _ = env.trusted_proxies
    except ValueError as error:
        raise ConfigError(
            f"TRUSTED_PROXIES: got {env.TRUSTED_PROXIES!r}, takes addresses or networks like 10.0.0.7 or 10.0.0.0/8"
        ) from error


def _check_together(env: Env) -> None:
    if env.DATABASE_URL and not env.SECRET_KEY:
        raise ConfigError(
            "SECRET_KEY: not set, but DATABASE_URL is; takes 50 random characters, the same on every host"
        )
    # A host that only works needs the workers' alone; whoever has the administrator's runs `manage.py bucket`, perhaps
    # before there are any others. What a process lacks it says when it starts: `management.storage_probe`.
    if env.S3_BUCKET and not (env.AWS_ACCESS_KEY_ID or env.WORKER_AWS_ACCESS_KEY_ID or env.ADMIN_AWS_ACCESS_KEY_ID):
        raise ConfigError(
            "AWS_ACCESS_KEY_ID: not set, but S3_BUCKET is; takes the key of an S3 user who may write "
            "(where only workers run, WORKER_AWS_ACCESS_KEY_ID will do)"
        )
    if env.WEBHOOK_ALLOW_LOOPBACK and not (
        is_loopback(env.HOST) and is_loopback(urlsplit(env.base_url).hostname or "")
    ):
        raise ConfigError(
            "WEBHOOK_ALLOW_LOOPBACK: got true, but HOST or PUBLIC_BASE_URL is not loopback; callers could have events "
            "posted to services of this host. It takes false there"
        )
    if env.WORKERS_IN_WEB == "true" and env.WORKERS > SLOTS_OF_A_PROCESS:
        raise ConfigError(
            f"WORKERS_IN_WEB: got true, but WORKERS is {env.WORKERS}; one process takes at most {SLOTS_OF_A_PROCESS}, "
            "more want processes of their own, which false gives them"
        )
    if env.METRICS_PORT and env.METRICS_PORT <= env.PORT <= env.METRICS_PORT + len(env.worker_slots):
        raise ConfigError(
            f"METRICS_PORT: got {env.METRICS_PORT}, takes one that, with one more for each worker process, leaves PORT "
            f"({env.PORT}) alone"
        )
    if not is_loopback(env.HOST) and env.ALLOW_ANONYMOUS and os.environ.get("ALLOW_ANONYMOUS"):
        raise ConfigError(
            f"ALLOW_ANONYMOUS: got true, but HOST is {env.HOST!r}, where strangers could upload; takes false, or leave "
            "it away: callers from elsewhere need an API key or a token"
        )


def _is_url(value: str, *schemes: str) -> bool:
    """Whether `value` is a URL of one of `schemes` that its later readers can take apart."""
    try:
        _ = urlsplit(value).port
    except ValueError:
        return False
    return value.startswith(tuple(f"{scheme}://" for scheme in schemes))


def _is_encoded(value: str) -> bool:
    """Whether no `/`, `?` or `#` of a password cuts it in two: what follows would be taken for something else."""
    parts = urlsplit(value)
    return not parts.fragment and "@" not in parts.path + parts.query


def _has_a_number(value: str) -> bool:
    """Whether the database that a Redis URL names is a number; redis-py takes the first one for any other word."""
    parts = urlsplit(value)
    return parts.scheme not in ("redis", "rediss") or parts.path.strip("/").isdigit() or not parts.path.strip("/")


def shown(value: str) -> str:
    """Return an address for a message, without a name and password that may be in it."""
    return re.sub(r"//.*@", "//…@", value)


def _is_address(value: str, *schemes: str) -> bool:
    return _is_url(value, *schemes) and bool(urlsplit(value).hostname)
