"""People and groups: who may come is a name, an address and a group; all else is folded."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import PasswordResetConfirmView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse, reverse_lazy
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from media_jobs.admin.base import ModelAdmin, button, caller_of, redirect_to
from media_jobs.errors import MediaError
from media_jobs.services.access import people, second_factor

#: What only superusers give and take.
_GRANTS = ("is_superuser", "is_staff", "groups", "user_permissions")
_ABOUT = {
    "Viewer": "looks at everything, changes nothing",
    "Curator": "keeps pictures right: rights, retries, presets, runs",
    "Operator": "also original files, programs' keys, webhooks and queues",
}

#: As in the menu. Migrations compare what the class said, and not this.
User._meta.verbose_name, User._meta.verbose_name_plural = "person", "people"

admin.site.unregister(User)
admin.site.unregister(Group)
for model in (TOTPDevice, StaticDevice):  # their pages show secrets
    admin.site.unregister(model)


class GroupChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} – {_ABOUT[obj.name]}" if obj.name in _ABOUT else str(obj.name)


class NewPersonForm(forms.ModelForm[User]):
    """Name, address, group. The password is set by the person, by a link."""

    email = forms.EmailField(label="E-mail", widget=UnfoldAdminEmailInputWidget)
    group = GroupChoice(
        label="Group", queryset=Group.objects.order_by("id"), empty_label=None, widget=UnfoldAdminRadioSelectWidget
    )

    class Meta:
        model = User
        fields = ("username", "email")
        labels = {"username": "Name"}
        help_texts = {"username": "To sign in with: letters, digits and @ . + - _"}
        widgets = {"username": UnfoldAdminTextInputWidget}


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], ModelAdmin[User]):
    form = UserChangeForm
    add_form = NewPersonForm
    add_form_template = "admin/change_form.html"
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "in_groups", "is_active", "last_login")
    list_fullwidth = True
    add_fieldsets = ((None, {"fields": ("username", "email", "group")}),)
    fieldsets = (
        (None, {"fields": ("username", "email", "groups", "is_active")}),
        (
            "More",
            {
                "classes": ["collapse"],
                "fields": (
                    ("first_name", "last_name"),
                    "password",
                    ("is_staff", "is_superuser"),
                    "user_permissions",
                    ("last_login", "date_joined"),
                ),
            },
        ),
    )
    actions_detail = ("new_link", "remove_second_factor")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Group")
    def in_groups(self, user: User) -> str:
        names = [group.name for group in user.groups.all()]
        return ", ".join(["administrator"] if user.is_superuser else names) or "–"

    def get_urls(self) -> list[Any]:
        welcome = PasswordResetConfirmView.as_view(
            template_name="admin/people/welcome.html",
            success_url=reverse_lazy("admin:login"),
            extra_context={"site_title": "gallimg"},
        )
        return [path("welcome/<uidb64>/<token>/", welcome, name="welcome"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        given = (*super().get_readonly_fields(request, obj), "last_login", "date_joined")
        return given if _is_superuser(request) else (*given, *_GRANTS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever makes a person says what it may do: superusers alone."""
        return super().has_add_permission(request) and _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def has_new_link_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        person = self.get_object(request, unquote(object_id)) if object_id else None
        return _is_superuser(request) and person is not None and person.is_active and person != request.user

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Check each of many that are chosen for deletion, too."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        if not all(_may_touch(request, user) for user in objs):
            lacking = {*lacking, "account of staff"}
        return found, counts, lacking, protected

    def has_remove_second_factor_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        person = self.get_object(request, unquote(object_id)) if object_id else None
        return _is_superuser(request) and person is not None and second_factor.is_needed(person)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = people.create(
            form.cleaned_data["username"],
            email=form.cleaned_data["email"],
            group=form.cleaned_data["group"],
            by=caller_of(request.user),
        )
        obj.pk = made.pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if change:
            super().save_related(request, form, formsets, change)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **how: Any) -> HttpResponse:
        """After a person was made there is one thing to do: to pass the link on."""
        if how.get("add"):
            context["show_save_and_add_another"] = context["show_save_and_continue"] = False
        return super().render_change_form(request, context, *args, **how)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The service has written it down."""

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_link(request, User.objects.get(pk=obj.pk))

    @button(
        "New sign-in link",
        permission="new_link",
        question="Whoever opens it sets a new password for this account. It holds for three days, or until it is used.",
        icon="key",
    )
    def new_link(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        person = get_object_or_404(User, pk=unquote(object_id))
        self.log_change(request, person, "given a new sign-in link")
        self.message_user(request, f"Send {person} this: {_link(request, person)}", messages.SUCCESS)
        return redirect_to(request, reverse("admin:auth_user_change", args=[person.pk]))

    @button(
        "Remove the second factor",
        permission="remove_second_factor",
        question="For who has lost the phone and the recovery codes: the password alone is enough then.",
        icon="phonelink_erase",
    )
    def remove_second_factor(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        person = get_object_or_404(User, pk=unquote(object_id))
        try:
            second_factor.remove(person, actor=caller_of(request.user))
            self.message_user(request, f"{person} signs in by the password alone.", messages.SUCCESS)
        except MediaError as error:
            self.message_user(request, str(error), messages.WARNING)
        return redirect_to(request, reverse("admin:auth_user_change", args=[person.pk]))

    def _show_link(self, request: HttpRequest, person: User) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{person} can come in",
            "opts": self.opts,
            "person": person,
            "link": _link(request, person),
            "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
        }
        return TemplateResponse(request, "admin/people/made.html", context)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin[Group]):
    """A group is its permissions."""

    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_superuser(request)


def _link(request: HttpRequest, person: User) -> str:
    return request.build_absolute_uri(reverse("admin:welcome", args=people.sign_in_parts(person)))


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Whether this person may change the account: whoever sets a password has all that it opens."""
    return user is None or _is_superuser(request) or user == request.user or not (user.is_staff or user.is_superuser)
