"""Presets change by new versions; jobs keep the version that they were made with."""

from django.db import transaction
from django.db.models import Max

from media_jobs.models import Preset, Rendition


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
