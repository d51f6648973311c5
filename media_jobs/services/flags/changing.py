"""People make flags and change them: by whoever knows the version, and past the guard only with a reason."""

import copy
import re
from collections.abc import Collection, Mapping
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from media_jobs.callers import Caller
from media_jobs.errors import BadRequest, RampRefused, WrongState
from media_jobs.models import FeatureFlag
from media_jobs.services import changes
from media_jobs.services.flags import evaluation, guard, history, shares

log = structlog.get_logger(__name__)

#: Of keys on one list.
MOST_KEYS = 1000
LONGEST_REASON = 1000
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 40


def create(name: str, *, description: str = "", guarded: bool = True, actor: Caller) -> FeatureFlag:
    """Make a flag that is off. Raises BadRequest for a name that is none, WrongState for one that is taken."""
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadRequest(
            f"The name of a flag has small letters, digits and hyphens, at most {_LONGEST_NAME}, such as image-service."
        )
    try:
        with transaction.atomic():
            flag = FeatureFlag.objects.create(name=name, description=description, guarded=guarded)
            changes.record(flag, "made", actor=actor, after=history.values(flag))
    except IntegrityError:
        raise WrongState(f"There is a feature flag “{name}” already.") from None
    log.info("flag_made", flag=name, actor=actor.id)
    return flag


def change(
    name: str,
    wanted: Mapping[str, Any],
    *,
    actor: Caller,
    version: int | None = None,
    reason: str = "",
    force: bool = False,
) -> FeatureFlag:
    """Change a flag and return it; where nothing differs, nothing happens.

    wanted: of history.FIELDS by name. version: the one that was looked at, where somebody looked. force: raise it
    although the guard has an objection; takes a reason.

    Raises UnknownFlag, BadRequest, RampRefused, and WrongState when somebody else was first.
    """
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise BadRequest(f"A reason has at most {LONGEST_REASON:,} characters.")
    if force and not reason:
        raise BadRequest("Say why it is forced: the reason stays in the history of the flag.")
    flag = evaluation.find(name)
    if version not in (None, flag.version):
        raise WrongState(overtaken(flag))
    wanted = {field: _keys(value) if field in ("allow", "deny") else value for field, value in wanted.items()}
    new = {field: value for field, value in wanted.items() if getattr(flag, field) != value}
    if not new:
        return flag
    after = copy.copy(flag)
    for field, value in new.items():
        setattr(after, field, value)
    forced, marks = _past_the_guard(flag, after, force=force)
    if not history.write(flag, new, actor=actor, reason=reason, forced=forced, **marks):
        raise WrongState(overtaken(evaluation.find(name)))
    log.info(
        "flag_changed",
        flag=name,
        actor=actor.id,
        enabled=flag.enabled,
        percent=shares.percent(flag.basis_points),
        forced=forced,
    )
    return flag


def overtaken(flag: FeatureFlag) -> str:
    """What somebody is told who was second."""
    state = "on" if flag.enabled else "off"
    return (
        f"Somebody else was first: {flag} was changed at {flag.changed_at:%H:%M} UTC, and is {state} at "
        f"{shares.percent(flag.basis_points)} % now. Nothing of yours was saved; look at it, and save again."
    )


def _past_the_guard(before: FeatureFlag, after: FeatureFlag, *, force: bool) -> tuple[bool, dict[str, Any]]:
    """Return whether it takes force, and what is marked on the flag. Raises RampRefused."""
    marks: dict[str, Any] = {}
    if (before.enabled, before.basis_points) != (after.enabled, after.basis_points):
        marks["fell_back_at"] = None  # a person has seen to it
    if not guard.needs_opinion(before, after):
        return False, marks
    opinion = guard.opinion()
    if not opinion.may_raise and not force:
        raise RampRefused(name=before.name, why=opinion.why)
    # It would fall back at once: whoever forces it past too many errors has decided about those.
    marks["forced_at"] = Now() if opinion.must_fall_back else None
    return not opinion.may_raise, marks


def _keys(keys: Collection[str]) -> list[str]:
    """Return them each once, in their order. Raises BadRequest."""
    found = list(dict.fromkeys(key for key in map(str.strip, keys) if key))
    if len(found) > MOST_KEYS:
        raise BadRequest(f"A list has at most {MOST_KEYS:,} keys: raise the percentage for more.")
    if not all(map(evaluation.is_key, found)):
        raise BadRequest(f"A key is a text of at most {evaluation.LONGEST_KEY} characters.")
    return found
