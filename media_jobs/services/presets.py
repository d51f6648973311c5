"""Presets change by new versions; jobs keep the version that they were made with."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Max

from media_jobs.callers import Caller
from media_jobs.errors import BadRequest, WrongState
from media_jobs.models import Change, Preset, Rendition
from media_jobs.services import changes

log = structlog.get_logger(__name__)

#: What a size is, but for its name; in the order in which people read of it.
FIELDS = ("side_px", "fit", "format", "quality", "crop", "chroma", "effort", "progressive", "enlarge")
_DAYS = "days that failed originals are kept"
_WORDS = {"side_px": "side", "fit": "fit", "effort": "effort", "enlarge": "enlarging"}


def save(
    name: str,
    sizes: Sequence[Mapping[str, Any]],
    *,
    base: int,
    actor: Caller,
    failed_days: int | None = None,
) -> Preset:
    """Make the next version of these sizes, and have new uploads use it.

    sizes: fields of `Rendition` by name, which have been checked. base: the version that was edited; 0: there is none
    of the name yet. Raises WrongState when another is current by now, BadRequest where nothing was changed.
    """
    if not sizes:
        raise BadRequest("A preset has one size at least.")
    with transaction.atomic():
        _lock(name)
        current = Preset.objects.filter(name=name, current=True).prefetch_related("renditions").first()
        if (current.version if current else 0) != base:
            raise WrongState(_overtaken(name, current))
        wanted = [Rendition(**fields) for fields in sizes]
        said = differences(list(current.renditions.all()) if current else [], wanted)
        days = (current.failed_days if current else None, failed_days)
        if not said and days[0] == days[1]:
            raise BadRequest("Nothing was changed, so there is no new version.")
        newest = Preset.objects.filter(name=name).aggregate(newest=Max("version"))["newest"] or 0
        made = Preset.objects.create(name=name, version=newest + 1, failed_days=failed_days)
        for size in wanted:
            size.preset = made
        Rendition.objects.bulk_create(wanted)
        make_current(made)
        before, after = changes.differing({_DAYS: days[0]}, {_DAYS: days[1]})
        changes.record(made, "saved", actor=actor, before=before, after={**after, "changes": said})
    log.info("preset_saved", preset=str(made), actor=actor.id)
    return made


def roll_back(name: str, version: int, *, base: int, actor: Caller) -> Preset:
    """Have new uploads use a former version again. Raises WrongState when another is current by now."""
    with transaction.atomic():
        _lock(name)
        current = Preset.objects.filter(name=name, current=True).first()
        former = Preset.objects.filter(name=name, version=version).first()
        if former is None or current is None or current.version != base:
            raise WrongState(_overtaken(name, current))
        make_current(former)
        changes.record(
            former, "rolled back to", actor=actor, before={"current": str(current)}, after={"current": str(former)}
        )
    return former


def differences(old: Sequence[Rendition], new: Sequence[Rendition]) -> list[str]:
    """Say in words what is different: which sizes came and went, and what of the others was changed."""
    former, present = ({size.name: size for size in sizes} for sizes in (old, new))
    said = [f"{name} removed" for name in former if name not in present]
    for name, size in present.items():
        if name not in former:
            said.append(f"{name} added: {size.side_px} px, {size.format}, quality {size.quality}")
            continue
        changed = [field for field in FIELDS if getattr(former[name], field) != getattr(size, field)]
        said += [f"{name}: {_of(field)} {_value(former[name], field)} → {_value(size, field)}" for field in changed]
    return said


def copy_as_new_version(preset: Preset) -> Preset:
    """Return a copy with the same renditions and the next number. It is not current until `make_current`."""
    with transaction.atomic():
        _lock(preset.name)
        newest = Preset.objects.filter(name=preset.name).aggregate(newest=Max("version"))["newest"]
        copy = Preset.objects.create(name=preset.name, version=newest + 1, failed_days=preset.failed_days)
        # Whatever fields renditions have: one that is forgotten here would be lost silently.
        fields = [f.attname for f in Rendition._meta.concrete_fields if f.name not in ("id", "preset")]
        Rendition.objects.bulk_create(
            Rendition(preset=copy, **{field: getattr(rendition, field) for field in fields})
            for rendition in preset.renditions.all()
        )
    return copy


def make_current(preset: Preset) -> None:
    """Have new jobs of this name use this version. Raises ValueError for one without renditions."""
    preset.recipe()
    with transaction.atomic():
        _lock(preset.name)
        Preset.objects.filter(name=preset.name, current=True).update(current=False)
        Preset.objects.filter(pk=preset.pk).update(current=True)


def _lock(name: str) -> None:
    """Lock all versions until the end of the transaction: two people who change them do so one after the other."""
    list(Preset.objects.select_for_update().filter(name=name).order_by("pk").values_list("pk"))


def _overtaken(name: str, current: Preset | None) -> str:
    if current is None:
        return f"There is no preset “{name}” any more."
    last = Change.objects.filter(kind="preset", object_id=str(current.pk)).order_by("-id").first()
    since = f" since {last.at:%H:%M} UTC" if last else ""
    return f"Somebody else was first: {current} is current{since}. See below what it changed; yours is still here."


def _of(field: str) -> str:
    return _WORDS.get(field, field)


def _value(size: Rendition, field: str) -> str:
    value = getattr(size, field)
    if field == "side_px":
        return f"{value} px"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "automatic" if value is None else str(value)
