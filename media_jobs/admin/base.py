"""What the admin classes share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from django.contrib.admin.utils import unquote
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action
from unfold.enums import ActionVariant

from media_jobs import callers
from media_jobs.callers import Caller

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline
    from django.forms import ModelForm
else:
    from django.forms import ModelForm as _ModelForm
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import StackedInline as _StackedInline

    class ModelAdmin(_ModelAdmin):
        def __class_getitem__(cls, _: object) -> type:
            return cls

    class StackedInline(_StackedInline):
        def __class_getitem__(cls, _: object) -> type:
            return cls

    class ModelForm(_ModelForm):
        def __class_getitem__(cls, _: object) -> type:
            return cls


__all__ = ["ModelAdmin", "ModelForm", "PageAdmin", "ReadOnlyAdmin", "StackedInline", "button", "caller_of", "go_to"]

_M = TypeVar("_M", bound=Model)
_F = TypeVar("_F", bound=Callable[..., Any])


class PageAdmin(ModelAdmin[_M]):
    """An object's page that shows more than its fields."""

    def page_context(self, request: HttpRequest, found: _M) -> dict[str, Any]:
        """What the page's templates need beside the form; asked for objects that may be viewed."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        found = self.get_object(request, unquote(object_id))
        if found is not None and self.has_view_permission(request, found):
            extra_context = {**self.page_context(request, found), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)


class ReadOnlyAdmin(PageAdmin[_M]):
    """Pages to look at: nothing is added, changed or deleted by hand, whatever rights somebody has."""

    change_form_template = "admin/media_jobs/read_only.html"
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: _M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: _M | None = None) -> bool:
        return False


def caller_of(user: AbstractBaseUser | AnonymousUser) -> Caller:
    """The member of staff behind a request to the admin."""
    return callers.staff(cast(int, user.pk))


def button(
    title: str,
    *,
    permission: str,
    question: str,
    icon: str,
    variant: Literal["default", "primary"] = "default",
) -> Callable[[_F], _F]:
    """A button on an object's page that asks `question` and acts on a POST only.

    The method is called as `(self, request, form, object_id)`, if `has_{permission}_permission` allows it.
    """
    return cast(
        Callable[[_F], _F],
        action(
            description=title,
            permissions=[permission],
            icon=icon,
            variant=ActionVariant(variant),
            dialog={"title": title, "description": question, "form_class": None, "form_submit_text": title},
        ),
    )


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """The answer to a button: its dialog is sent by htmx, which takes the address from a header."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
