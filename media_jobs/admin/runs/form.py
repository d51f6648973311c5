"""The form by which a curator describes a run. Nothing is done before it is confirmed on its page."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from media_jobs.admin import cells
from media_jobs.admin.fields import preset_choices
from media_jobs.errors import MediaError
from media_jobs.models import ReprocessRun
from media_jobs.services.runs import id_lists, lifecycle, rate
from media_jobs.services.runs.selection import Selection
from media_jobs.states import JobState, Staleness

#: Columns that are taken as they are.
_HOW = ("note", "rate_per_minute", "quiet_hours", "failure_limit")


class RunForm(forms.ModelForm[ReprocessRun]):
    """What to make, and of which pictures. Every filter narrows the choice."""

    preset_name = forms.ChoiceField(
        label="Preset", choices=preset_choices, widget=UnfoldAdminSelectWidget, help_text="Its current version."
    )
    renditions = forms.CharField(
        label="Sizes",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "thumb, small"}),
        help_text="Names with commas between them; the others are left alone. Empty: all.",
    )
    missing = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget, help_text="Only sizes that are not there."
    )
    stale = forms.MultipleChoiceField(
        required=False,
        choices=[(str(reason), words.capitalize()) for reason, words in cells.STALE.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Only sizes that are stale for one of these reasons.",
    )
    refused = forms.BooleanField(
        label="Known failures, too",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="With the two above: also files of which this engine is known to make nothing.",
    )
    key_prefix = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="The beginning of the original's key."
    )
    tags = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="All of them, with commas.")
    states = forms.MultipleChoiceField(
        label="State of the newest job",
        required=False,
        choices=[(state.value, state.value) for state in JobState],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    after = forms.SplitDateTimeField(label="Uploaded since", required=False, widget=UnfoldAdminSplitDateTimeWidget)
    before = forms.SplitDateTimeField(label="Uploaded before", required=False, widget=UnfoldAdminSplitDateTimeWidget)
    ids = forms.CharField(
        label="Ids", required=False, widget=UnfoldAdminTextareaWidget, help_text="One in a line: only these pictures."
    )

    class Meta:
        model = ReprocessRun
        fields = _HOW
        help_texts: ClassVar = {"rate_per_minute": "Most pictures a minute; empty: as many as there is room for."}

    def clean_quiet_hours(self) -> str:
        hours: str = self.cleaned_data["quiet_hours"]
        if hours:
            _checked(lambda: rate.parse_hours(hours))
        return hours

    def clean(self) -> dict[str, Any]:
        """Sizes are those of the preset, wherever that stands in the form."""
        found = super().clean() or self.cleaned_data
        if preset := found.get("preset_name"):
            try:
                lifecycle.wanted_of(preset, _words(found.get("renditions", "")))
            except MediaError as error:
                self.add_error("renditions", str(error))
        return found

    def clean_ids(self) -> list[UUID]:
        text: str = self.cleaned_data["ids"]
        ids: list[UUID] = _checked(lambda: list(id_lists.read(text.splitlines())))
        return ids

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `lifecycle.create`."""
        said = self.cleaned_data
        chosen = Selection(
            prefix=said["key_prefix"],
            states=tuple(map(JobState, said["states"])),
            tags=tuple(_words(said["tags"])),
            after=said["after"],
            before=said["before"],
            missing=said["missing"],
            stale=tuple(map(Staleness, said["stale"])),
            refused=said["refused"],
        )
        return {
            "preset": said["preset_name"],
            "renditions": _words(said["renditions"]),
            "selection": chosen,
            "image_ids": said["ids"] or None,
            **{name: said[name] for name in _HOW},
        }


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _checked(read: Any) -> Any:
    """Raises ValidationError with the sentence of what is wrong."""
    try:
        return read()
    except MediaError as error:
        raise ValidationError(str(error)) from error
