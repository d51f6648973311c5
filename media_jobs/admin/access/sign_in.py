"""The form of the login: name, password, and the code of who has a second factor."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from media_jobs.services.access import second_factor


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold has no types
    """The code is asked for as soon as anybody has a second factor: who has which is told to nobody."""

    code = forms.CharField(
        required=False,
        max_length=20,
        label="Code",
        help_text="Of your authenticator app, or a recovery code; empty if you have no second factor.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not second_factor.in_use():
            del self.fields["code"]

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        super().confirm_login_allowed(user)
        if second_factor.is_needed(user) and not second_factor.accepts(user, self.cleaned_data.get("code", "")):
            # A wrong code counts as a wrong password does.
            user_login_failed.send(sender=__name__, credentials={"username": user.get_username()}, request=self.request)
            raise ValidationError("This account takes a code beside the password, and this one is wrong or was used.")


admin.site.login_form = SignInForm
