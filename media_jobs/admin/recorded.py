"""Every form that is saved in the admin leaves a line in the log of changes: who, what, from and to."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from media_jobs import callers
from media_jobs.admin.access.caller_names import names_of
from media_jobs.models import Change, FlagChange
from media_jobs.services import changes

_M = TypeVar("_M", bound=Model)
_CHANGED = "gi_changed_values"
_SECRET = ("password", "secret", "hash")


class Recorded:
    """Mixed into ModelAdmin. What services change, they record themselves."""

    opts: Any
    admin_site: Any
    get_object: Any
    has_view_permission: Any

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        vars(request)[_CHANGED] = changed_values(form, formsets or (), add=add)
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]  # of ModelAdmin

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, message, "made")
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, message, "changed")
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        lines: list[tuple[Model, dict[str, Any], dict[str, Any]]] = [(obj, {}, {}) for obj in queryset]
        changes.record_all(lines, "deleted", actor=_actor(request))
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """One history for each thing: ours, which says from what to what."""
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request, found):
            answer: HttpResponse = super().history_view(request, object_id, extra_context)  # type: ignore[misc]
            return answer
        context = {
            **self.admin_site.each_context(request),
            "title": "History",
            "subtitle": str(found),
            "opts": self.opts,
            "object": found,
            "lines": lines_of(changes.history_of(found)),
        }
        return TemplateResponse(request, "admin/media_jobs/history.html", context)

    def _record(self, request: HttpRequest, obj: Model, message: Any, action: str) -> None:
        before, after = vars(request).pop(_CHANGED, ({}, {}))
        if isinstance(message, str) and message:
            action = message.rstrip(".")[:64].lower()
        changes.record(obj, action, actor=_actor(request), before=before, after=after)


def lines_of(rows: Iterable[Change]) -> list[dict[str, Any]]:
    """Return what a page shows of changes: who by name, and each value from what to what."""
    found = list(rows)
    names = names_of({row.actor for row in found})
    return [{"change": row, "who": names[row.actor], "values": values_of(row)} for row in found]


def values_of(change: Change | FlagChange) -> list[tuple[str, str, str]]:
    """Return name, former and new value of all that a change changed, as a person reads them."""
    names = dict.fromkeys([*change.before, *change.after])
    return [(name.replace("_", " "), _text(change.before.get(name)), _text(change.after.get(name))) for name in names]


def changed_values(form: Any, formsets: Iterable[Any], *, add: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the former and the new values of what was changed in a form and in those below it."""
    before, after = _changed_in(form, "", add=add)
    for formset in formsets:
        for inner in formset.forms:
            if inner.has_changed() and hasattr(inner, "cleaned_data"):
                old, new = _changed_in(inner, f"{inner.instance} ", add=inner.instance._state.adding)
                if inner.cleaned_data.get("DELETE"):
                    old, new = {str(inner.instance).strip(): "there"}, {str(inner.instance).strip(): "removed"}
                before |= old
                after |= new
    return before, after


def _changed_in(form: Any, prefix: str, *, add: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name in form.changed_data if name in form.cleaned_data and name != "DELETE"]
    before = {f"{prefix}{name}": _plain(name, form.initial.get(name)) for name in names if not add}
    after = {f"{prefix}{name}": _plain(name, form.cleaned_data[name]) for name in names}
    return before, after


def _plain(name: str, value: Any) -> Any:
    if any(word in name for word in _SECRET):
        return "…"
    if isinstance(value, bool | int | float | str | None):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Model | UUID):
        return str(value)
    if isinstance(value, Iterable):
        return sorted(str(part) for part in value)
    return str(value)


def _text(value: Any) -> str:
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(part)}" for name, part in value.items()) or "all"
    return str(value)


def _actor(request: HttpRequest) -> str:
    return callers.staff(cast(int, request.user.pk)).id
