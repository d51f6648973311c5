"""What /v1/runs answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs.models import ReprocessRun, RunItem
from media_jobs.staleness import StaleCounts
from media_jobs.states import RunBy, RunItemState, RunState, Staleness


class EstimateSerializer(serializers.Serializer[Any]):
    """What the run would cost, reckoned when it was described: counted, and else by what the latest jobs took."""

    images = serializers.IntegerField(help_text="How many.")
    exact = serializers.BooleanField(help_text="Whether they were counted; false: reckoned from a sample.")
    cpuSeconds = serializers.FloatField(source="cpu_s", allow_null=True, help_text="Null: nothing to go by yet.")  # noqa: N815
    readBytes = serializers.IntegerField(source="read_bytes", help_text="Of originals.")  # noqa: N815
    writeBytes = serializers.IntegerField(source="write_bytes", allow_null=True, help_text="Of derivatives.")  # noqa: N815
    requests = serializers.IntegerField(help_text="To the storage.")
    peakBytes = serializers.IntegerField(  # noqa: N815
        source="peak_bytes", allow_null=True, help_text="Of old and new derivatives side by side."
    )


class CountsSerializer(serializers.Serializer[Any]):
    """How many images of the ledger are in each state. `total` grows until `ledgerComplete`."""

    total = serializers.IntegerField()
    left = serializers.IntegerField()
    done = serializers.IntegerField()
    skipped = serializers.IntegerField()
    failed = serializers.IntegerField()
    rolledBack = serializers.IntegerField(source="rolled_back")  # noqa: N815


class RunSerializer(serializers.Serializer[ReprocessRun]):
    """A run and how far it is."""

    runId = serializers.UUIDField(source="pk")  # noqa: N815  (the wire's spelling)
    state = serializers.ChoiceField(choices=[state.value for state in RunState])
    stateSince = serializers.DateTimeField(source="state_since")  # noqa: N815
    code = serializers.CharField(help_text="Why it is in this state, for machines; often empty.")
    detail = serializers.CharField(help_text="Why it is in this state, for people.")
    note = serializers.CharField()
    owner = serializers.CharField()
    by = serializers.ChoiceField(choices=[by.value for by in RunBy], help_text="Who works on it.")
    preset = serializers.CharField(source="preset.name")
    presetVersion = serializers.IntegerField(source="preset.version")  # noqa: N815
    renditions = serializers.ListField(child=serializers.CharField(), source="wanted")
    selection = serializers.DictField(help_text="Which images, as it was asked for.")
    estimate = EstimateSerializer(allow_null=True)
    counts = CountsSerializer(source="*")
    ledgerComplete = serializers.SerializerMethodField()  # noqa: N815
    ratePerMinute = serializers.IntegerField(source="rate_per_minute", allow_null=True)  # noqa: N815
    quietHours = serializers.CharField(source="quiet_hours")  # noqa: N815
    failureLimit = serializers.IntegerField(source="failure_limit")  # noqa: N815
    throttledBy = serializers.SerializerMethodField()  # noqa: N815
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    confirmedAt = serializers.DateTimeField(source="confirmed_at", allow_null=True)  # noqa: N815
    endedAt = serializers.DateTimeField(source="ended_at", allow_null=True)  # noqa: N815
    acceptedAt = serializers.DateTimeField(source="accepted_at", allow_null=True)  # noqa: N815

    @extend_schema_field(serializers.BooleanField(help_text="Whether the ledger has all images by now."))
    def get_ledgerComplete(self, run: ReprocessRun) -> bool:  # noqa: N802
        return run.filled_at is not None

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="What it makes way for at the moment."))
    def get_throttledBy(self, run: ReprocessRun) -> Any:  # noqa: N802
        return run.throttle_reason or None


class RunsSerializer(serializers.Serializer[Any]):
    """A page of runs, newest first."""

    runs = RunSerializer(many=True)
    next = serializers.UUIDField(allow_null=True, help_text="`before` of the next page; null: this is the last one.")


class ItemSerializer(serializers.Serializer[RunItem]):
    """One image of a run."""

    imageId = serializers.UUIDField(source="original_id")  # noqa: N815
    state = serializers.ChoiceField(choices=[state.value for state in RunItemState])
    code = serializers.CharField(help_text="Why it was skipped, or failed; else empty.")
    jobId = serializers.UUIDField(source="job_id", allow_null=True)  # noqa: N815
    endedAt = serializers.DateTimeField(source="ended_at", allow_null=True)  # noqa: N815


class ItemsSerializer(serializers.Serializer[Any]):
    """A page of a ledger, in the order of the images' upload."""

    items = ItemSerializer(many=True)
    next = serializers.UUIDField(allow_null=True, help_text="`after` of the next page; null: this is the last one.")


class BecauseSerializer(serializers.Serializer[Any]):
    """How many derivatives are stale for each reason; one may be for several."""

    recipe = serializers.IntegerField(help_text="The preset's current version says something else.")
    engine = serializers.IntegerField(help_text="Another version of the imaging engine made it.")
    overrides = serializers.IntegerField(help_text="Rotation or focal point were changed.")
    rights = serializers.IntegerField(help_text="The rights were changed.")


class StaleSerializer(serializers.Serializer[StaleCounts]):
    """How many of the current derivatives a run would make anew, and why."""

    current = serializers.IntegerField()
    stale = serializers.IntegerField()
    because = BecauseSerializer()

    def to_representation(self, counts: StaleCounts) -> dict[str, Any]:
        because = {reason.value: counts.because[reason] for reason in Staleness}
        return {"current": counts.current, "stale": counts.stale, "because": because}
