"""What is asked before something is done to many pictures."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from media_jobs.admin.fields import INPUT, LicenceField, TagsField, preset_choices
from media_jobs.admin.picture.forms import RIGHTS, stated
from media_jobs.library.source_types import BASE, LABELS
from media_jobs.models import Original
from media_jobs.states import BulkKind


class NothingForm(forms.Form):
    """There is nothing to be said."""

    def params(self) -> dict[str, Any]:
        return {}


class TagForm(NothingForm):
    tags = TagsField(label="Tags to add")

    def params(self) -> dict[str, Any]:
        return {"tags": self.cleaned_data["tags"]}


class BulkRightsForm(NothingForm):
    """An empty field stays as it is in each picture."""

    copy_from = forms.UUIDField(required=False)
    creator = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=INPUT))
    credit = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=INPUT))
    copyright = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=INPUT))
    licence = LicenceField("The address of the licence.")
    digital_source_type = forms.ChoiceField(
        label="How they were made",
        required=False,
        choices=[("", "leave as it is"), *((BASE + code, title) for code, title in LABELS.items())],
        widget=forms.Select(attrs=INPUT),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors and not self.params()["rights"]:
            raise ValidationError("Fill in at least one field, or choose a picture whose rights are copied.")
        return found

    def params(self) -> dict[str, Any]:
        """Return what is stated of each picture: the fields, and where they are empty those of the chosen picture."""
        said = {name: stated(name, self.cleaned_data.get(name, "")) for name in RIGHTS}
        source = Original.objects.filter(pk=chosen).first() if (chosen := self.cleaned_data.get("copy_from")) else None
        copied = {name: getattr(source, name) for name in RIGHTS if not said[name]} if source else {}
        rights = {name: text or copied.get(name, "") for name, text in said.items() if text or copied.get(name)}
        return {"rights": rights, "copied_from": str(source.pk) if source else "", "copied": sorted(copied)}


class RedoForm(NothingForm):
    preset = forms.ChoiceField(label="With which preset", choices=preset_choices, widget=forms.Select(attrs=INPUT))

    def params(self) -> dict[str, Any]:
        return {"preset": self.cleaned_data["preset"]}


FORMS: dict[BulkKind, type[NothingForm]] = {
    BulkKind.TAG: TagForm,
    BulkKind.RIGHTS: BulkRightsForm,
    BulkKind.REDO: RedoForm,
}
