"""The environment, read and validated once. Nothing else in the project reads `os.environ`."""

import dataclasses
import io
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dotenv

from gallimg_site.env import ConfigError, Env, is_loopback, takes

#: Of JWT_SECRET. RFC 7518 wants as many bits as the hash has; PyJWT only warns of fewer.
LEAST_SECRET_BYTES = 32

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
    _check_addresses(env)
    _check_callers(env)
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


def _check_addresses(env: Env) -> None:
    for name in ("PUBLIC_BASE_URL", "CDN_BASE_URL"):
        value = getattr(env, name)
        if value and not _is_address(value, "http", "https"):
            raise ConfigError(f"{name}: got {value!r}, takes an address that starts with http:// or https://")
    if urlsplit(env.PUBLIC_BASE_URL)._replace(scheme="", netloc="").geturl().strip("/"):
        raise ConfigError(
            f"PUBLIC_BASE_URL: got {env.PUBLIC_BASE_URL!r}, takes scheme and host alone, as in https://example.org: "
            "the service answers at the root of a host of its own"
        )
    for origin in env.upload_origins:
        if not _is_address(origin, "http", "https") or urlsplit(origin).path:
            raise ConfigError(f"UPLOAD_ORIGINS: got {origin!r}, takes origins like https://example.org")
    if env.S3_ENDPOINT and not _is_address(env.s3_endpoint_url or "", "http", "https"):
        raise ConfigError(f"S3_ENDPOINT: got {env.S3_ENDPOINT!r}, takes host:port or an http:// or https:// address")
    if env.DATABASE_URL and not _is_url(env.DATABASE_URL, "postgres", "postgresql"):
        raise ConfigError("DATABASE_URL: got a value that is not shown, takes postgres://user:password@host/name")
    if env.REDIS_URL and not _is_url(env.REDIS_URL, "redis", "rediss", "unix"):
        raise ConfigError("REDIS_URL: got a value that is not shown, takes redis://host:port/number")


def _check_callers(env: Env) -> None:
    if env.JWT_SECRET and len(env.JWT_SECRET.encode()) < LEAST_SECRET_BYTES:
        raise ConfigError(
            f"JWT_SECRET: got {len(env.JWT_SECRET.encode())} bytes, takes at least {LEAST_SECRET_BYTES}, "
            "as HS256 wants them"
        )
    if env.JWT_JWKS_URL and not _is_address(env.JWT_JWKS_URL, "http", "https"):
        raise ConfigError(f"JWT_JWKS_URL: got {env.JWT_JWKS_URL!r}, takes an http:// or https:// address")
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
    for key, secret in (
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("WORKER_AWS_ACCESS_KEY_ID", "WORKER_AWS_SECRET_ACCESS_KEY"),
        ("S3_READ_ACCESS_KEY_ID", "S3_READ_SECRET_ACCESS_KEY"),
        ("ADMIN_AWS_ACCESS_KEY_ID", "ADMIN_AWS_SECRET_ACCESS_KEY"),
    ):
        if bool(getattr(env, key)) != bool(getattr(env, secret)):
            raise ConfigError(f"{key} and {secret}: one is set and the other is not; set both or none")
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


def _is_address(value: str, *schemes: str) -> bool:
    return _is_url(value, *schemes) and bool(urlsplit(value).hostname)
