"""Who asks."""

from dataclasses import dataclass
from enum import StrEnum


class CallerKind(StrEnum):
    ANONYMOUS = "anonymous"
    STAFF = "staff"
    SYSTEM = "system"  #: the service itself: housekeeping, commands


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated somebody. `id` is text and never a foreign key, so that it outlives accounts."""

    id: str
    kind: CallerKind

    #: Django's and DRF's word for "not a stranger".
    @property
    def is_authenticated(self) -> bool:
        return self.kind is not CallerKind.ANONYMOUS

    @property
    def is_staff(self) -> bool:
        return self.kind is CallerKind.STAFF

    def may_read(self, owner: str) -> bool:
        """Whether things of `owner` may be seen."""
        return self.is_staff or self.id == owner

    def may_read_original(self, owner: str) -> bool:
        """Originals carry positions and serial numbers: never for strangers, not even their own."""
        return self.is_authenticated and self.may_read(owner)


ANONYMOUS = Caller("anonymous", CallerKind.ANONYMOUS)
SYSTEM = Caller("system", CallerKind.SYSTEM)


def staff(pk: int) -> Caller:
    return Caller(f"staff:{pk}", CallerKind.STAFF)
