"""What is asked before something is done to many pictures."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from media_jobs.admin.picture.forms import TAGS_CHARACTERS, stated, words_of
from media_jobs.library.source_types import BASE, LABELS
from media_jobs.models import Original, Preset
from media_jobs.pipeline.privacy.rights import url
from media_jobs.states import BulkKind

_RIGHTS = ("creator", "credit", "copyright", "licence", "digital_source_type")
_INPUT = {"class": "gi-input"}


class NothingForm(forms.Form):
    """There is nothing to be said."""

    def params(self) -> dict[str, Any]:
        return {}


class TagForm(NothingForm):
    tags = forms.CharField(
        label="Tags to add",
        max_length=TAGS_CHARACTERS,
        help_text="Words with commas between them.",
        widget=forms.TextInput(attrs=_INPUT),
    )

    def clean_tags(self) -> list[str]:
        return words_of(self.cleaned_data["tags"])

    def params(self) -> dict[str, Any]:
        return {"tags": self.cleaned_data["tags"]}


class BulkRightsForm(NothingForm):
    """An empty field stays as it is in each picture."""

    copy_from = forms.UUIDField(required=False)
    creator = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=_INPUT))
    credit = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=_INPUT))
    copyright = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=_INPUT))
    licence = forms.CharField(
        required=False,
        max_length=500,
        help_text="The address of the licence.",
        widget=forms.TextInput(attrs={**_INPUT, "placeholder": "https://"}),
    )
    digital_source_type = forms.ChoiceField(
        label="How they were made",
        required=False,
        choices=[("", "leave as it is"), *((BASE + code, title) for code, title in LABELS.items())],
        widget=forms.Select(attrs=_INPUT),
    )

    def clean_licence(self) -> str:
        text: str = self.cleaned_data["licence"]
        if text and not url(text):
            raise ValidationError("A licence is an address: https://…")
        return url(text) if text else ""

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors and not self.params()["rights"]:
            raise ValidationError("Fill in at least one field, or choose a picture whose rights are copied.")
        return found

    def params(self) -> dict[str, Any]:
        """Return what is stated of each picture: the fields, and where they are empty those of the chosen picture."""
        said = {name: stated(name, self.cleaned_data.get(name, "")) for name in _RIGHTS}
        source = Original.objects.filter(pk=chosen).first() if (chosen := self.cleaned_data.get("copy_from")) else None
        copied = {name: getattr(source, name) for name in _RIGHTS if not said[name]} if source else {}
        rights = {name: text or copied.get(name, "") for name, text in said.items() if text or copied.get(name)}
        return {"rights": rights, "copied_from": str(source.pk) if source else "", "copied": sorted(copied)}


class RedoForm(NothingForm):
    preset = forms.ChoiceField(label="With which preset", widget=forms.Select(attrs=_INPUT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Preset.objects.filter(current=True).order_by("name").values_list("name", flat=True)
        self.fields["preset"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]

    def params(self) -> dict[str, Any]:
        return {"preset": self.cleaned_data["preset"]}


FORMS: dict[BulkKind, type[NothingForm]] = {
    BulkKind.TAG: TagForm,
    BulkKind.RIGHTS: BulkRightsForm,
    BulkKind.REDO: RedoForm,
}
