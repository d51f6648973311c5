"""Forms of a picture's page."""

from typing import Any

from django import forms

from media_jobs.admin.fields import INPUT, LicenceField, TagsField
from media_jobs.library.source_types import BASE, LABELS, label
from media_jobs.models import Original
from media_jobs.pipeline.privacy.capture import clean
from media_jobs.pipeline.values import Rights
from media_jobs.services.images import editing

_RIGHT_CHARACTERS = 500
_NOTE_CHARACTERS = 2_000
RIGHTS = ("creator", "credit", "copyright", "licence", "digital_source_type")
NOTES = ("source", "caption")


def stated(name: str, text: str) -> str:
    """Return a right as it is stored: without what could not stand in a file."""
    return text if name in ("licence", "digital_source_type") else clean(text, _RIGHT_CHARACTERS)


def _line(label: str, help_text: str) -> forms.CharField:
    widget = forms.TextInput(attrs=INPUT)
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=_RIGHT_CHARACTERS, widget=widget
    )


class RightsForm(forms.Form):
    """Whose picture it is, how it was made, and what it shows. A field as the file has it lets the file decide."""

    creator = _line("Creator", "Who made the picture.")
    credit = _line("Credit", "Whom to name beside it.")
    copyright = _line("Copyright", "Who holds the rights.")
    licence = LicenceField("The address of its licence.")
    digital_source_type = forms.ChoiceField(
        label="How it was made",
        required=False,
        help_text="IPTC's digital source type. It is written into every web version.",
        widget=forms.Select(attrs=INPUT),
    )
    source = _line("Source", "Where it comes from: a collection, a number. Kept here only.")
    caption = forms.CharField(
        label="Caption",
        help_text="What it shows. Kept here only.",
        required=False,
        max_length=_NOTE_CHARACTERS,
        widget=forms.Textarea(attrs={**INPUT, "rows": 3}),
    )
    tags = TagsField(required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, picture: Original, data: Any = None) -> None:
        tags = ", ".join(picture.tags.values_list("name", flat=True))
        initial = {name: getattr(picture, name) for name in (*RIGHTS, *NOTES)}
        super().__init__(data, initial={**initial, "tags": tags, "seen": editing.version_of(picture)})
        known = [(BASE + code, title) for code, title in LABELS.items()]
        own = picture.digital_source_type
        others = [(own, label(own))] if own and own not in dict(known) else []
        self.fields["digital_source_type"].choices = [("", "not said"), *known, *others]  # type: ignore[attr-defined]
        self.in_file = picture.read_in_file()

    def clean_caption(self) -> str:
        return str(self.cleaned_data["caption"]).replace("\r\n", "\n")  # as it came: browsers send both

    def changes(self) -> dict[str, Any]:
        """Return the arguments of `editing.change`, with what was changed in the form only."""
        said = self.cleaned_data
        rights = {name: self._stated(name, said[name]) for name in RIGHTS if name in self.changed_data}
        notes = {name: said[name] for name in NOTES if name in self.changed_data}
        found: dict[str, Any] = {"rights": rights, "notes": notes, "seen": said["seen"] or None}
        return {**found, "tags": said["tags"]} if "tags" in self.changed_data else found

    def _stated(self, name: str, text: str) -> str | None:
        shown = stated(name, text)
        return None if shown == getattr(self.in_file, name) else shown

    def theirs(self) -> str:
        """Say what somebody else has written meanwhile where this form says something else."""
        now = [f"{self[name].label} “{self.initial.get(name)}”" for name in self.changed_data if name != "seen"]
        return f"Somebody else has changed this picture meanwhile: {', '.join(now)}. Save again to put yours over it."

    def see(self, picture: Original) -> None:
        """Let the next press of Save be about the picture as it is now."""
        self.data = {**self.data.dict(), "seen": editing.version_of(picture)}  # type: ignore[attr-defined]  # as posted

    def from_file(self) -> dict[str, str]:
        """Return what the file says where a person says something else."""
        return {
            name: getattr(self.in_file, name)
            for name in Rights.__slots__
            if getattr(self.in_file, name) not in ("", self.initial.get(name))
        }


class FocusForm(forms.Form):
    """The point that crops keep, in per cent from the left and from the top."""

    x = forms.FloatField(min_value=0, max_value=100)
    y = forms.FloatField(min_value=0, max_value=100)
