"""What callers of /v1/runs send."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from media_jobs.api.shared.bodies.field_names import checked
from media_jobs.api.shared.bodies.image_fields import TagsField
from media_jobs.services.runs.selection import Selection
from media_jobs.states import JobState, RunItemState, Staleness

#: So many ids fit into a request; a command takes any number of them.
MOST_IDS = 1_000


class _Fields(serializers.Serializer[None]):
    """Fields of which none is ignored because it is misspelt."""

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was sent, checked. Raises ValidationError, UnknownField."""
        return checked(cls, sent)


class NewRunSerializer(_Fields):
    """A run to be. Each filter narrows the choice; without any, all images are meant that are of the preset."""

    preset = serializers.CharField(default="gallformers", max_length=32, help_text="What is made; its current version.")
    renditions = serializers.ListField(
        child=serializers.CharField(max_length=32),
        required=False,
        max_length=50,
        help_text="Names of its renditions; the others are left alone. Without it all of them.",
    )
    prefix = serializers.CharField(required=False, max_length=255, help_text="Of the original's key, as `originals/`.")
    states = serializers.MultipleChoiceField(
        choices=[state.value for state in JobState], required=False, help_text="Of the image's newest job."
    )
    tags = TagsField(required=False, help_text="All of them.")
    createdAfter = serializers.DateTimeField(  # noqa: N815  (the wire's spelling)
        source="after", required=False, help_text="Uploaded then or later."
    )
    createdBefore = serializers.DateTimeField(  # noqa: N815
        source="before", required=False, help_text="Uploaded before that."
    )
    imageIds = serializers.ListField(  # noqa: N815
        child=serializers.UUIDField(),
        source="image_ids",
        required=False,
        max_length=MOST_IDS,
        help_text="Only these. More of them: as text/csv, one in a line, with the other fields in the query.",
    )
    missing = serializers.BooleanField(required=False, help_text="Only renditions that are not there.")
    stale = serializers.MultipleChoiceField(
        choices=[reason.value for reason in Staleness],
        required=False,
        help_text="Only renditions that are stale for one of these reasons. With `missing`: for either.",
    )
    refused = serializers.BooleanField(
        required=False, help_text="With `missing` or `stale`: also files of which this engine is known to make nothing."
    )
    anyPreset = serializers.BooleanField(  # noqa: N815
        source="any_preset", required=False, help_text="Also images that had jobs of other presets only."
    )
    note = serializers.CharField(required=False, max_length=255, help_text="What it is for.")
    ratePerMinute = serializers.IntegerField(  # noqa: N815
        source="rate_per_minute", required=False, min_value=1, max_value=1_000_000, help_text="Most images a minute."
    )
    quietHours = serializers.CharField(  # noqa: N815
        source="quiet_hours",
        required=False,
        allow_blank=True,
        max_length=11,
        help_text="When nothing new is begun, as in 08:00-18:00, UTC. Without it RUN_QUIET_HOURS; empty: never.",
    )
    failureLimit = serializers.IntegerField(  # noqa: N815
        source="failure_limit",
        required=False,
        min_value=1,
        max_value=100,
        help_text="Share of failures, in per cent, at which it stops and asks; 100: never.",
    )

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of `lifecycle.create`."""
        fields = super().read(sent)
        chosen = {name: fields.pop(name) for name in Selection.__slots__ if name in fields}
        words = {"states": JobState, "stale": Staleness}
        chosen |= {name: tuple(map(kind, sorted(chosen[name]))) for name, kind in words.items() if name in chosen}
        return fields | {"selection": Selection(**chosen)}


class ItemsQuerySerializer(_Fields):
    """Which lines of a ledger."""

    state = serializers.ChoiceField(choices=[state.value for state in RunItemState], required=False)
    after = serializers.UUIDField(required=False, help_text="`next` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)


class RunsQuerySerializer(_Fields):
    """Which runs."""

    before = serializers.UUIDField(required=False, help_text="`next` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=50)
