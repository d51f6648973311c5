"""API keys: made once and shown once, then known by their hash."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from media_jobs import callers
from media_jobs.callers import Caller, Scope
from media_jobs.errors import BadCredential, CredentialExpired
from media_jobs.models import ApiKey

log = structlog.get_logger(__name__)

#: Every key begins so: scanners for leaked secrets, and the header Authorization, tell it from a token by that.
MARK = "gallimg_"
#: The last use is written down no more often.
_USE_NOTED = timedelta(seconds=60)
_UNKNOWN = "This API key is not known here, or was revoked."


def assign(key: ApiKey) -> str:
    """Give an unsaved row its prefix and hash, and return the key, which nobody can tell from them again."""
    key.prefix = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8))
    whole = f"{MARK}{key.prefix}_{secrets.token_urlsafe(32)}"
    key.hash = _hash(whole)
    return whole


def create(
    name: str,
    *,
    scopes: Iterable[Scope],
    by: Caller,
    acts_for_users: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; returned with its row."""
    wanted = set(scopes)
    row = ApiKey(
        name=name,
        may_upload=Scope.UPLOAD in wanted,
        may_read=Scope.READ in wanted,
        may_manage=Scope.MANAGE in wanted,
        may_shadow=Scope.SHADOW in wanted,
        acts_for_users=acts_for_users,
        expires_at=expires_at,
        created_by=by.id,
    )
    whole = assign(row)
    row.save(force_insert=True)
    log.info("api_key_created", prefix=row.prefix, scopes=sorted(row.scopes), actor=by.id)
    return row, whole


def find(whole: str) -> ApiKey:
    """Return the row of a key that holds now. Raises BadCredential."""
    prefix = whole.removeprefix(MARK).partition("_")[0]
    row = ApiKey.objects.filter(prefix=prefix, revoked_at=None).first()
    if row is None or not hmac.compare_digest(row.hash, _hash(whole)):
        raise BadCredential(_UNKNOWN)
    if row.expires_at and row.expires_at <= timezone.now():
        raise CredentialExpired("The API key")
    _note_use(row)
    return row


def caller_of(row: ApiKey, *, user_id: str = "") -> Caller:
    return callers.key(row.prefix, row.scopes, user_id=user_id)


def revoke(prefix: str, *, by: Caller) -> bool:
    """End a key for good. False where there is none of the prefix, or it has ended already."""
    ended = ApiKey.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=Now())
    if ended:
        log.info("api_key_revoked", prefix=prefix, actor=by.id)
    return bool(ended)


def _note_use(row: ApiKey) -> None:
    if row.last_used_at and timezone.now() - row.last_used_at < _USE_NOTED:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - _USE_NOTED)
    ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=Now())


def _hash(whole: str) -> str:
    """A plain hash will do: a key has 256 random bits, and nobody guesses those however fast the hash is."""
    return hashlib.sha256(whole.encode()).hexdigest()
