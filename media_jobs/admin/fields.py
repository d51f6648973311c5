"""Fields that several forms have."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from media_jobs import selectors
from media_jobs.pipeline.privacy.capture import clean
from media_jobs.pipeline.privacy.rights import url

INPUT = {"class": "gi-input"}
_MOST_TAGS, _TAG_CHARACTERS = 50, 64


class TagsField(forms.CharField):
    """A list of tags, written with commas between them."""

    def __init__(self, **how: Any) -> None:
        super().__init__(
            max_length=_MOST_TAGS * (_TAG_CHARACTERS + 2),  # with what stands between them
            help_text="Words with commas between them.",
            widget=forms.TextInput(attrs=INPUT),
            **how,
        )

    def clean(self, value: Any) -> list[str]:
        words = [clean(word, _TAG_CHARACTERS + 1) for word in super().clean(value).split(",")]
        tags = list(dict.fromkeys(filter(None, words)))
        if len(tags) > _MOST_TAGS or any(len(tag) > _TAG_CHARACTERS for tag in tags):
            raise ValidationError(f"At most {_MOST_TAGS} tags of at most {_TAG_CHARACTERS} characters.")
        return tags


class LicenceField(forms.CharField):
    """The address of a licence, or nothing."""

    def __init__(self, help_text: str) -> None:
        widget = forms.TextInput(attrs={**INPUT, "inputmode": "url", "placeholder": "https://"})
        super().__init__(required=False, max_length=500, help_text=help_text, widget=widget)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if text and not url(text):
            raise ValidationError("A licence is an address: https://…")
        return url(text) if text else ""


def preset_choices() -> list[tuple[str, str]]:
    """The presets that there are now, for a field that asks for them anew with each form."""
    return [(name, name) for name in selectors.preset_names()]
