"""Who asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class CallerKind(StrEnum):
    ANONYMOUS = "anonymous"
    STAFF = "staff"
    KEY = "key"  #: a program, by its API key; perhaps for one of its users
    TOKEN = "token"  # noqa: S105 # nosec B105 # whoever a signed token (JWT) names
    SYSTEM = "system"  #: the service itself: housekeeping, commands


class Scope(StrEnum):
    """What a credential was made for. It never reaches past what is the caller's own."""

    UPLOAD = "upload"
    READ = "read"
    MANAGE = "manage"  #: cancel, queue again, change, delete, webhooks
    SHADOW = "shadow"  #: send shadows; wrong ones would switch a guarded flag off


#: What a credential is for that does not say: no token of a visitor reaches a flag by chance.
UNLESS_SAID = frozenset(Scope) - {Scope.SHADOW}


#: Permissions of staff that count for the APIs as well as in the admin.
VIEW_JOBS = "media_jobs.view_job"
VIEW_IMAGES = "media_jobs.view_original"
READ_ORIGINALS = "media_jobs.download_original"
JUDGE_SHADOWS = "media_jobs.judge_shadow"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated somebody. `id` is text and never a foreign key, so that it outlives accounts.

    permissions: those of a member of staff, as far as they are among the constants above.
    """

    id: str
    kind: CallerKind
    scopes: frozenset[Scope] = frozenset(Scope)
    permissions: frozenset[str] = frozenset()

    #: Django's and DRF's word for "not a stranger".
    @property
    def is_authenticated(self) -> bool:
        return self.kind is not CallerKind.ANONYMOUS

    @property
    def is_staff(self) -> bool:
        return self.kind is CallerKind.STAFF

    def may_read(self, owner: str) -> bool:
        """Whether jobs of `owner` may be seen."""
        return self.id == owner or VIEW_JOBS in self.permissions

    def may_read_image(self, owner: str) -> bool:
        """Whether what is known of images of `owner` may be seen."""
        return self.id == owner or VIEW_IMAGES in self.permissions

    def may_read_original(self, owner: str) -> bool:
        """Originals carry positions and serial numbers: never for strangers, not even their own."""
        return self.is_authenticated and (self.id == owner or READ_ORIGINALS in self.permissions)


ANONYMOUS = Caller("anonymous", CallerKind.ANONYMOUS)
SYSTEM = Caller("system", CallerKind.SYSTEM)
#: Of feature flags: what lets them fall back.
GUARD = Caller("guard", CallerKind.SYSTEM)


def staff(pk: int, permissions: Iterable[str] = ()) -> Caller:
    held = frozenset(permissions)
    scopes = frozenset(Scope) if JUDGE_SHADOWS in held else UNLESS_SAID
    return Caller(f"staff:{pk}", CallerKind.STAFF, scopes, held)


def key(prefix: str, scopes: Iterable[Scope], *, user_id: str = "") -> Caller:
    """Return the caller behind an API key; user_id: of whom it acts for, if for anybody."""
    return Caller(f"key:{prefix}|{user_id}" if user_id else f"key:{prefix}", CallerKind.KEY, frozenset(scopes))


def token(issuer: str, subject: str, scopes: Iterable[Scope]) -> Caller:
    """Return the caller whom a token names; `issuer` has no “|” and is nobody's prefix, see `adapters.tokens`."""
    return Caller(f"{issuer}|{subject}", CallerKind.TOKEN, frozenset(scopes))
