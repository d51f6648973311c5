"""What people say of an image: its tags, and whose it is."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from media_jobs.callers import Caller
from media_jobs.errors import WrongState
from media_jobs.models import Original, Tag
from media_jobs.services import changes
from media_jobs.services.images import tagging
from media_jobs.states import OriginalState

_NOTES = ("source", "caption")

log = structlog.get_logger(__name__)


def change(
    image_id: UUID,
    *,
    actor: Caller,
    tags: Sequence[str] | None = None,
    rights: Mapping[str, str | None] | None = None,
    notes: Mapping[str, str] | None = None,
    seen: str | None = None,
) -> bool:
    """Change what is said of an image; what is None, or not named, stays as it is.

    Returns whether anything did change. Raises WrongState.

    rights: fields of `values.Rights` by name. A text goes before what the file says, an empty one says that there is
    none, and None lets the file decide again. Derivatives that are there keep what was written into them, and are
    stale: the next run makes others, under keys of their own.
    notes: `source` and `caption`, which stay here. seen: `version_of` the image as whoever changes it saw it; if it
    is another by now, nothing is changed.
    """
    with transaction.atomic():
        found = Original.objects.select_for_update(no_key=True).filter(pk=image_id, deleted_at=None)
        image = found.exclude(state=OriginalState.DELETED).first()
        if image is None:
            raise WrongState("This image has been deleted.")
        before, stated = _said_of(image), dict(image.stated_rights)
        if seen is not None and seen != _digest(before):
            raise WrongState(
                "Somebody else has changed this picture meanwhile. Here is how it is now; change it again."
            )
        if notes:
            Original.objects.filter(pk=image_id).update(**{name: notes[name] for name in _NOTES if name in notes})
            image.refresh_from_db()
        if rights:
            _state(image, rights)
        if tags is not None:
            tagging.replace(image, tags)
        old, new = changes.differing(before, _said_of(image))
        # What the file says already may be stated, too: then it stays, whatever a later look into the file finds.
        silently = (set(stated) ^ set(image.stated_rights)) - set(new)
        old |= {f"{name} is stated": name in stated for name in silently}
        new |= {f"{name} is stated": name in image.stated_rights for name in silently}
        if new:
            changes.record(image, "described", actor=actor, before=old, after=new)
    if not new:
        return False
    log.info("image_changed", image=str(image_id), actor=actor.id, rights=sorted(rights or {}), tags=tags is not None)
    return True


def version_of(image: Original) -> str:
    """Name what is said of an image now: it is another word after each change."""
    return _digest(_said_of(image))


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _said_of(image: Original) -> dict[str, Any]:
    tags = list(Tag.objects.filter(original=image).values_list("name", flat=True))
    return {**asdict(image.rights), **{name: getattr(image, name) for name in _NOTES}, "tags": tags}


def _state(image: Original, rights: Mapping[str, str | None]) -> None:
    in_file = image.read_in_file()
    said = {**image.stated_rights, **rights}
    image.stated_rights = {name: text for name, text in said.items() if text is not None}
    image.rights_in_file = asdict(in_file)
    valid = asdict(in_file.outranked_by(image.stated_rights))
    for name, text in valid.items():
        setattr(image, name, text)
    image.save(update_fields=["stated_rights", "rights_in_file", *valid])
