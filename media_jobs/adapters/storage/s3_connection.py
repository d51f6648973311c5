"""django-storages' connection to a bucket, made so that many processes and roles cost little memory."""

import functools
import hashlib
from base64 import b64encode
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from storages.backends.s3 import S3Storage

from media_jobs.adapters.storage.s3_calls import CALL_LIMITS, CallLimits

#: Whose addresses are kept: credentials may come from STS.
_SERVICES = ("s3", "sts")


def _read_service_models() -> botocore.loaders.Loader:
    """Read what boto3 knows about S3, which all clients share, and workers that are forked from here.

    Descriptions and the addresses of some 300 other services would take 8 of 15 MB. The loader keeps what it has
    read, so that clients find it as it is left here.
    """
    loader = botocore.loaders.create_loader()
    model = loader.load_service_model("s3", "service-2")
    _remove_documentation([model["operations"], model["shapes"]])
    for name in ("endpoint-rule-set-1", "paginators-1"):
        loader.load_service_model("s3", name)
    for name in ("partitions", "sdk-default-configuration"):
        loader.load_data(name)
    for partition in loader.load_data("endpoints")["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in _SERVICES if name in services}
    return loader


def _remove_documentation(model: Any) -> None:
    """Remove it in place, at all depths."""
    if isinstance(model, dict):
        if isinstance(model.get("documentation"), str):
            del model["documentation"]
        model = model.values()
    if not isinstance(model, str | bytes) and hasattr(model, "__iter__"):
        for part in model:
            _remove_documentation(part)


_SERVICE_MODELS = _read_service_models()

#: Key, secret and, where STS gave them, the session token, which else is missing or empty.
Credentials = tuple[str, ...]

#: What S3, and with the second one MinIO, say where the checksum does not fit.
_DAMAGED = frozenset({"BadDigest", "XAmzContentChecksumMismatch"})
#: Refused without Content-MD5 by servers that know no newer checksum, which is all that botocore sends.
_WANT_MD5 = ("PutBucketCors", "PutBucketLifecycleConfiguration")


class _Storage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    def _create_session(self) -> boto3.Session:
        session = botocore.session.get_session()
        session.register_component("data_loader", _SERVICE_MODELS)
        session.register("needs-retry.s3", functools.partial(_retry_damaged, self.client_config))
        for operation in _WANT_MD5:
            session.register(f"before-call.s3.{operation}", _add_md5)
        return boto3.Session(self.access_key, self.secret_key, self.security_token, botocore_session=session)


def _retry_damaged(config: Any, **tried: Any) -> Any:
    """Have bytes that were damaged on their way sent again at once; botocore takes the refusal for final."""
    code = tried["response"][1].get("Error", {}).get("Code") if tried["response"] else None
    return 0.0 if code in _DAMAGED and tried["attempts"] < config.retries["total_max_attempts"] else None


def _add_md5(**call: Any) -> None:
    request = call["params"]
    digest = hashlib.md5(request["body"], usedforsecurity=False).digest()
    request["headers"]["Content-MD5"] = b64encode(digest).decode()


def bucket_storage(
    bucket: str,
    credentials: Credentials,
    *,
    region: str,
    endpoint_url: str | None,
    limits: CallLimits = CALL_LIMITS,
    ca_bundle: str = "",
) -> S3Storage:
    """Return django-storages' storage of a bucket. It connects on first use.

    ca_bundle: a file with the authorities that are trusted; by default the world's.
    """
    key, secret, *token = credentials
    config: Config = Config(
        signature_version="s3v4",
        s3={
            # Not "auto": outside us-east-1 that signs links to a host that redirects, which their signature does not
            # survive.
            "addressing_style": "path" if endpoint_url else "virtual",
            # Each body goes with a signed checksum of ours: hashing it once more for the signature proves nothing new.
            "payload_signing_enabled": False,
        },
        connect_timeout=limits.connect_s,
        read_timeout=limits.read_s,
        retries={"mode": "standard", "total_max_attempts": limits.attempts},
        max_pool_connections=50,
        # Several S3-compatible servers refuse the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    settings: dict[str, Any] = {
        "bucket_name": bucket,
        "access_key": key,
        "secret_key": secret,
        "security_token": next(filter(None, token), None),
        "verify": ca_bundle or True,  # botocore would refuse an empty AWS_CA_BUNDLE
        "region_name": region,
        "endpoint_url": endpoint_url,
        "client_config": config,
    }
    return _Storage(**settings)


def bucket_url(bucket: str, *, region: str, endpoint_url: str | None) -> str:
    """Return the address at which the public objects of a bucket are read."""
    if endpoint_url:
        return f"{endpoint_url.rstrip('/')}/{bucket}"
    host = f"s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    if "." in bucket:  # no certificate covers such a host name
        return f"https://{host}/{bucket}"
    return f"https://{bucket}.{host}"
