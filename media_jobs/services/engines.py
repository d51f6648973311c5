"""Remembers which version of the imaging engine works here: the web process cannot ask it, having no libvips."""

from django.db.models.functions import Now

from media_jobs.models import EngineVersion

_noted: set[str] = set()


def note(name: str) -> None:
    """Remember that this version has just rendered something: one statement, the first time in this process."""
    if name not in _noted:
        EngineVersion.objects.update_or_create(name=name, defaults={"seen_at": Now()})
        _noted.add(name)


def forget() -> None:
    """Note every version anew."""
    _noted.clear()
