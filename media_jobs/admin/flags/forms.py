"""What can be said of a flag."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from media_jobs.errors import BadRequest
from media_jobs.models import FeatureFlag
from media_jobs.services.flags import changing, shares

_AREA = {"class": "gi-input", "rows": 3, "spellcheck": "false"}


class PercentField(forms.CharField):
    """A percentage with two decimals; basis points to the program."""

    def clean(self, value: Any) -> int:
        try:
            return shares.parse(super().clean(value))
        except BadRequest as error:
            raise ValidationError(str(error)) from None


class KeysField(forms.CharField):
    """One key in each line."""

    def clean(self, value: Any) -> list[str]:
        said: str = super().clean(value)
        return said.splitlines()


class FlagForm(forms.Form):
    """A flag as it is to be. version: the one that was looked at."""

    enabled = forms.BooleanField(label="On, for the percentage below", required=False)
    percent = PercentField(
        label="Percentage",
        max_length=20,
        widget=forms.NumberInput(attrs={"class": "gi-input gi-number", "min": 0, "max": 100, "step": "0.01"}),
    )
    reason = forms.CharField(
        label="Why",
        help_text="For the history. To force it, it must be said.",
        max_length=changing.LONGEST_REASON,
        required=False,
        widget=forms.TextInput(attrs={"class": "gi-input"}),
    )
    force = forms.BooleanField(label="Force it, though the guard refuses", required=False)
    description = forms.CharField(
        label="What it switches",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"class": "gi-input", "rows": 2}),
    )
    allow = KeysField(
        label="Always on for",
        help_text="One key in each line: for trying it, at any percentage.",
        required=False,
        widget=forms.Textarea(attrs=_AREA),
    )
    deny = KeysField(
        label="Never on for", help_text="One key in each line.", required=False, widget=forms.Textarea(attrs=_AREA)
    )
    guarded = forms.BooleanField(label="Guarded: raised only while the comparison allows it", required=False)
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def wanted(self) -> dict[str, Any]:
        """Return what the flag is to be, by its fields."""
        said = self.cleaned_data
        names = ("enabled", "description", "allow", "deny", "guarded")
        return {"basis_points": said["percent"], **{name: said[name] for name in names}}


class NewFlagForm(forms.Form):
    """A flag to be; it is off."""

    name = forms.CharField(
        label="Name",
        help_text="Small letters, digits and hyphens. It stays: the site asks by it, and it decides who is first.",
        max_length=40,
        widget=forms.TextInput(attrs={"class": "gi-input", "autocapitalize": "none", "spellcheck": "false"}),
    )
    description = forms.CharField(
        label="What it switches",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"class": "gi-input", "rows": 2}),
    )
    guarded = forms.BooleanField(
        label="Guarded: raised only while the comparison with the live site allows it", required=False
    )


def initial_of(flag: FeatureFlag) -> dict[str, Any]:
    """Return what the form shows of a flag."""
    return {
        "enabled": flag.enabled,
        "percent": shares.percent(flag.basis_points),
        "description": flag.description,
        "allow": "\n".join(flag.allow),
        "deny": "\n".join(flag.deny),
        "guarded": flag.guarded,
        "version": flag.version,
    }
