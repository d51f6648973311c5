"""What a person knows better than the file: which way is up, and what matters. The original stays as it is."""

from typing import Any
from uuid import UUID

from django.db import transaction

from media_jobs.callers import Caller
from media_jobs.errors import BadRequest
from media_jobs.models import Job, Original
from media_jobs.pipeline.values import Focus, Overrides
from media_jobs.services import changes
from media_jobs.services.images import redoing


def rotate(image_id: UUID, by: int, *, actor: Caller) -> list[Job]:
    """Turn the image by 90, 180 or 270 degrees clockwise on top of how it stands now, and make its web versions anew.

    Its focal point turns with it. Raises BadRequest, WrongState.
    """
    if by not in (90, 180, 270):
        raise BadRequest("Turn by 90, 180 or 270 degrees.")
    with transaction.atomic():
        image = redoing.lock(image_id)
        old = image.overrides()
        new = Overrides((old.rotation + by) % 360, _turned(old.focus, by) if old.focus else None)
        return _write(image, new, "rotated", actor)


def set_focus(image_id: UUID, focus: Focus | None, *, actor: Caller) -> list[Job]:
    """Note which point crops keep, or that none is chosen, and make the web versions anew. Raises WrongState."""
    with transaction.atomic():
        image = redoing.lock(image_id)
        return _write(image, Overrides(image.rotation, focus), "focused", actor)


def _write(image: Original, new: Overrides, action: str, actor: Caller) -> list[Job]:
    before, after = changes.differing(_shown(image.overrides()), _shown(new))
    if not after:
        return []
    x, y = (new.focus.x, new.focus.y) if new.focus else (None, None)
    Original.objects.filter(pk=image.pk).update(rotation=new.rotation, focus_x=x, focus_y=y)
    changes.record(image, action, actor=actor, before=before, after=after)
    return redoing.redo(image.pk, actor=actor)


def _turned(focus: Focus, by: int) -> Focus:
    for _ in range(by // 90):
        focus = Focus(1 - focus.y, focus.x)
    return focus


def _shown(overrides: Overrides) -> dict[str, Any]:
    focus = overrides.focus
    return {
        "rotation": f"{overrides.rotation}°",
        "focal point": f"{focus.x:.0%} from the left, {focus.y:.0%} from the top" if focus else "",
    }
