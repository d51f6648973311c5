"""The table of sizes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from media_jobs.admin.presets import MOST_DAYS
from media_jobs.models import Preset, Rendition

_BASIC = ("name", "side_px", "fit", "format", "quality")
ADVANCED = ("crop", "chroma", "effort", "progressive", "enlarge")


class SizeForm(forms.ModelForm[Rendition]):
    """One size: a row of the table, with what is seldom changed folded below it."""

    class Meta:
        model = Rendition
        fields = (*_BASIC, *ADVANCED)
        labels = {"side_px": "Side, px"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "gi-input"

    def values(self) -> dict[str, Any]:
        """Return the fields of a rendition, JSON-ready."""
        return {name: self.cleaned_data[name] for name in (*_BASIC, *ADVANCED)}


class Sizes(forms.BaseFormSet[SizeForm]):
    def clean(self) -> None:
        if any(self.errors):
            return
        names = [form.cleaned_data["name"] for form in self.kept()]
        if not names:
            raise ValidationError("A preset has one size at least.")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValidationError(f"Two sizes are called {', '.join(twice)}.")

    def kept(self) -> list[SizeForm]:
        """Return the rows that say something and are not to be removed."""
        return [form for form in self.forms if form.cleaned_data.get("name") and not form.cleaned_data.get("DELETE")]

    def values(self) -> list[dict[str, Any]]:
        return [form.values() for form in self.kept()]


SizeFormSet: type[Sizes] = forms.formset_factory(  # type: ignore[assignment]  # of the given class, as it says
    SizeForm, formset=Sizes, extra=1, can_delete=True, max_num=30
)


class PresetForm(forms.Form):
    """What is said of the preset itself. base: the version that is edited."""

    name = forms.SlugField(
        max_length=32, help_text="Letters, digits and hyphens.", widget=forms.TextInput(attrs={"class": "gi-input"})
    )
    failed_days = forms.IntegerField(
        label="Days that failed originals are kept",
        help_text="Empty: for ever, so that they can be retried.",
        min_value=1,
        max_value=MOST_DAYS,
        required=False,
        widget=forms.NumberInput(attrs={"class": "gi-input gi-number"}),
    )
    base = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("base") == 0 and Preset.objects.filter(name=found.get("name", "")).exists():
            self.add_error("name", f"There is a preset “{found['name']}” already.")
        if found.get("base") == 0 and found.get("name") == "new":
            self.add_error("name", "No preset is called “new”: the page of new ones is.")
        return found


def sizes_of(preset: Preset) -> list[dict[str, Any]]:
    """Return what the table shows of a version."""
    return [{name: getattr(size, name) for name in (*_BASIC, *ADVANCED)} for size in preset.renditions.all()]
