"""Checks at the start whether an S3 storage can be used, and names the setting that is wrong."""

import structlog
from django.conf import settings

from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.tls import TlsFault, fault_of
from media_jobs.errors import (
    BucketMissing,
    MediaError,
    ReadsNotConfigured,
    StorageClockSkewed,
    StorageDenied,
    StorageUntrusted,
)

log = structlog.get_logger(__name__)

_MISSING = {
    Role.WEB: "AWS_ACCESS_KEY_ID: not set, but the web process stores uploads in S3_BUCKET; takes the key of an S3 "
    "user who may write. Where only workers are to run, start “python manage.py worker”",
    Role.WORKER: "WORKER_AWS_ACCESS_KEY_ID: not set, nor is AWS_ACCESS_KEY_ID; takes the key of an S3 user who may "
    "read, write, list and delete in S3_BUCKET",
}


class StorageUnusable(Exception):
    """Waiting will not help; the message is one line that names the setting and what to do."""


def probe_storage(*roles: Role) -> None:
    """Ask an S3 storage, as each of `roles` (web or worker), whether it would take a file. Raises StorageUnusable.

    One that does not answer may do so later, and a clock may be set: that is logged, and no reason not to start.
    """
    if not settings.S3_BUCKET:
        return
    where = settings.S3_ENDPOINT_URL or f"AWS in {settings.S3_REGION}"
    for role in roles:
        try:
            store(role).check()
        except ReadsNotConfigured as error:
            raise StorageUnusable(_MISSING[role]) from error
        except BucketMissing as error:
            raise StorageUnusable(
                f"S3_BUCKET: got {settings.S3_BUCKET!r}, which the storage at {where} does not have; "
                "“python manage.py bucket setup” makes it"
            ) from error
        except StorageClockSkewed as error:
            log.warning("storage_unreachable", why=str(error))
        except StorageDenied as error:
            raise StorageUnusable(
                f"{_key_of(role)}: the storage at {where} refuses it, or its secret, for S3_BUCKET "
                f"{settings.S3_BUCKET!r}; “python manage.py bucket check” tells what is missing, and "
                "“python manage.py bucket setup” makes a bucket that is not there"
            ) from error
        except StorageUntrusted as error:
            fault = fault_of(error)
            advice = (
                "S3_USE_SSL=false or http:// is without"
                if fault is TlsFault.NO_TLS
                else ("AWS_CA_BUNDLE names a file with the certificates of an authority of your own")
            )
            raise StorageUnusable(f"S3_ENDPOINT: got the storage at {where}, but {fault}; {advice}") from error
        except MediaError:
            hint = f"no answer from {where}: is S3_ENDPOINT right, and S3_USE_SSL? It starts all the same"
            log.warning("storage_unreachable", why=hint)
            return


def _key_of(role: Role) -> str:
    own = role is Role.WORKER and settings.S3_WORKER_CREDENTIALS[0]
    return "WORKER_AWS_ACCESS_KEY_ID" if own else "AWS_ACCESS_KEY_ID"
