"""Writes a change of a flag: the row, its history and the log of changes together, or nothing."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from media_jobs.callers import Caller
from media_jobs.models import FeatureFlag, FlagChange
from media_jobs.services import changes
from media_jobs.services.flags import shares

#: What people change of a flag.
FIELDS = ("description", "enabled", "basis_points", "allow", "deny", "guarded")


def write(
    flag: FeatureFlag,
    new: dict[str, Any],
    *,
    actor: Caller,
    reason: str = "",
    forced: bool = False,
    **marks: Any,
) -> bool:
    """Change what differs in `new`, fields by name, and say who did it and why. False: somebody else was first.

    marks: further fields, which no history tells of.
    """
    before, after = changes.differing(values(flag), values(flag) | _told(new))
    with transaction.atomic():
        won = FeatureFlag.objects.filter(pk=flag.pk, version=flag.version).update(
            **new, **marks, version=F("version") + 1, changed_at=Now()
        )
        if not won:
            return False
        FlagChange.objects.create(
            flag=flag,
            version=flag.version + 1,
            actor=actor.id,
            before=before,
            after=after,
            reason=reason,
            forced=forced,
        )
        why = {"reason": reason} if reason else {}
        changes.record(flag, "forced" if forced else "changed", actor=actor, before=before, after=after | why)
    flag.refresh_from_db()
    return True


def values(flag: FeatureFlag) -> dict[str, Any]:
    """Return what histories tell of a flag, JSON-ready."""
    return _told({name: getattr(flag, name) for name in FIELDS})


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "percent" if name == "basis_points" else name: shares.percent(value) if name == "basis_points" else value
        for name, value in fields.items()
    }
