"""The log of what people changed. Services write it in the transaction of the change."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model

from media_jobs.callers import Caller
from media_jobs.models import Change, Original

#: What each model is called in the log, where its verbose name is not the word.
_KINDS = {"user": "person"}
_LONGEST = 255


def kind_of(model: type[Model] | Model) -> str:
    """Return the word for things of this kind."""
    name = model._meta.model_name or ""
    return _KINDS.get(name, str(model._meta.verbose_name))


def record(
    thing: Model,
    action: str,
    *,
    actor: Caller | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one line. before, after: JSON-ready values by name, of what changed only."""
    Change.objects.create(**_fields(thing, action, actor, before, after))


def record_all(
    things: Iterable[tuple[Model, Mapping[str, Any], Mapping[str, Any]]], action: str, *, actor: Caller | str
) -> None:
    """Write one line for each of `things`: itself, its former and its new values."""
    lines = [Change(**_fields(thing, action, actor, before, after)) for thing, before, after in things]
    Change.objects.bulk_create(lines, batch_size=500)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both with those values only that are not the same in the other."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def history_of(thing: Model) -> list[Change]:
    """Return the newest hundred lines about a thing, the newest first."""
    return list(Change.objects.filter(kind=kind_of(thing), object_id=str(thing.pk)).order_by("-id")[:100])


def _fields(
    thing: Model,
    action: str,
    actor: Caller | str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> dict[str, Any]:
    label = thing.filename if isinstance(thing, Original) else str(thing)
    return {
        "actor": actor.id if isinstance(actor, Caller) else actor,
        "action": action,
        "kind": kind_of(thing),
        "object_id": str(thing.pk),
        "label": label[:_LONGEST],
        "before": dict(before or {}),
        "after": dict(after or {}),
    }
