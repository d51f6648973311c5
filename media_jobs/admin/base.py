"""Base classes and helpers of the admin pages."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.decorators import action
from unfold.enums import ActionVariant

from media_jobs import callers
from media_jobs.admin import queries
from media_jobs.admin.recorded import Recorded
from media_jobs.callers import Caller
from media_jobs.errors import MediaError
from media_jobs.library import search

if TYPE_CHECKING:  # unfold has no types; its classes derive from these
    from django.contrib.admin import ModelAdmin as UnfoldAdmin
    from django.contrib.admin import StackedInline
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin
    from unfold.admin import StackedInline

__all__ = ["ModelAdmin", "PageAdmin", "ReadOnlyAdmin", "StackedInline", "button", "caller_of", "redirect_to"]

_M = TypeVar("_M", bound=Model)
_F = TypeVar("_F", bound=Callable[..., Any])


#: No list is narrowed by these: who guesses would learn them letter by letter, by what is found.
_GUESSABLE = frozenset({"private_metadata", "secret", "previous_secret", "hash"})


class ModelAdmin(Recorded, UnfoldAdmin[_M]):
    """unfold's, with a line in the log of changes for each form that is saved."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return _GUESSABLE.isdisjoint(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Show the whole list where its address asks for what no database can compare, as for other wrong filters."""
        if any("\0" in text for texts in request.GET.lists() for text in (texts[0], *texts[1])):
            raise IncorrectLookupParameters("PostgreSQL has no NUL in texts.")
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError) as error:  # such as the year 12345678901
            if request.GET:
                raise IncorrectLookupParameters(error) from error
            raise


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


class ServiceAdmin(PageAdmin[_M]):
    """What its form says goes to a service; what that refuses is said, and the form is shown again."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except MediaError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect_to(request, request.get_full_path())


class BoundedPaginator(Paginator[_M]):
    """Counts at most `count_limit` rows, or LIST_MOST where that is more."""

    count_limit = 0

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[_M]", self.object_list).order_by("-pk")
        return queries.count_at_most(rows, max(queries.LIST_MOST, self.count_limit))


class ReadOnlyAdmin(PageAdmin[_M]):
    """Pages without forms: nobody adds, changes or deletes anything here, whatever their rights.

    They stay quick among millions of rows. search_ids and search_sums: fields that are searched for an id or a SHA-256,
    in full or its beginning. search_name: the path to the original whose file name is searched for all else; then
    `search_fields` take a whole word only.
    """

    change_form_template = "admin/media_jobs/read_only.html"
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False
    search_ids: tuple[str, ...] = ("pk",)
    search_sums: tuple[str, ...] = ()
    search_name = ""

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: "QuerySet[_M]",
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> BoundedPaginator[_M]:
        paginator = BoundedPaginator[_M](queryset, per_page, orphans, allow_empty_first_page)
        page = request.GET.get(PAGE_VAR, "")
        # A few pages past the one that is shown.
        paginator.count_limit = (int(page) + 10) * per_page if page.isdecimal() and len(page) < 9 else 0
        return paginator

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[_M]", search_term: str
    ) -> tuple["QuerySet[_M]", bool]:
        if not search_term.strip():
            return queryset, False
        by_number = search.by_number(search_term, self.search_ids, self.search_sums)
        if by_number is not None and self.model._default_manager.filter(by_number).exists():
            return queryset.filter(by_number), False
        found = self._with_words(request, self.model._default_manager.all(), search_term)
        keys = search.keys_if_few(found)
        if keys is not None:
            return queryset.filter(pk__in=keys), False
        return self._with_words(request, queryset, search_term), False

    def _with_words(self, request: HttpRequest, rows: "QuerySet[_M]", search_term: str) -> "QuerySet[_M]":
        if self.search_name:
            return rows.filter(
                search.by_name(search_term, self.search_name) | search.by_word(search_term, self.search_fields)
            )
        return super().get_search_results(request, rows, search_term)[0]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: _M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: _M | None = None) -> bool:
        return False


def caller_of(user: AbstractBaseUser | AnonymousUser) -> Caller:
    """Return the caller that `user`, a member of staff, is to the services."""
    return callers.staff(cast(int, user.pk))


def button(
    title: str,
    *,
    permission: str,
    question: str,
    icon: str,
    variant: Literal["default", "primary"] = "default",
    do: str = "",
) -> Callable[[_F], _F]:
    """Make a method a button on an object's page, which asks `question` first and acts on POST only.

    do: the text of the dialog's own button; by default `title`, unless that reads like the one beside it, Cancel.
    The method is called as `(self, request, form, object_id)`, if `has_{permission}_permission` allows it.
    """
    return cast(
        Callable[[_F], _F],
        action(
            description=title,
            permissions=[permission],
            icon=icon,
            variant=ActionVariant(variant),
            dialog={"title": title, "description": question, "form_class": None, "form_submit_text": do or title},
        ),
    )


def redirect_to(request: HttpRequest, url: str) -> HttpResponse:
    """Answer a button with a redirect. Its dialog is sent by htmx, which takes the address from a header."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
