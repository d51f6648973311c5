"""What /v1/shadow answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs.models import Shadow
from media_jobs.pipeline.compare.values import Reason, Verdict
from media_jobs.states import ShadowState

#: By the words that jobs have, too.
STATUS = {
    ShadowState.FETCHING: "processing",
    ShadowState.RENDERING: "processing",
    ShadowState.DUE: "processing",
    ShadowState.COMPARED: "done",
    ShadowState.FAILED: "error",
}
_VERDICT = "Of ours beside the site's: `different` is for a person to judge, `missing` says that the site has none."


class SizeSerializer(serializers.Serializer[Any]):
    """The verdict on one size."""

    name = serializers.CharField()
    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason])
    detail = serializers.CharField(source="sentence")


class ShadowSerializer(serializers.Serializer[Shadow]):
    """A shadow, how far it is, and what the comparison found."""

    shadowId = serializers.UUIDField(source="pk")  # noqa: N815  (the wire's spelling)
    key = serializers.CharField(source="legacy_key")
    status = serializers.SerializerMethodField()
    stage = serializers.ChoiceField(source="state", choices=[state.value for state in ShadowState])
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    imageId = serializers.UUIDField(  # noqa: N815
        source="original_id", required=False, help_text="Where you have uploaded it, until its pictures are deleted."
    )
    verdict = serializers.ChoiceField(
        choices=[verdict.value for verdict in Verdict], required=False, help_text=f"When done. {_VERDICT}"
    )
    reason = serializers.ChoiceField(
        choices=[reason.value for reason in Reason], required=False, help_text="When done: what decided it."
    )
    detail = serializers.CharField(required=False, help_text="When done or on error: why, for people.")
    sizes = SizeSerializer(many=True, required=False, help_text="When done.")
    comparedAt = serializers.DateTimeField(source="compared_at", required=False, help_text="When done.")  # noqa: N815
    judgedAs = serializers.ChoiceField(  # noqa: N815
        source="judged_as",
        choices=[verdict.value for verdict in Verdict],
        required=False,
        help_text="What a person has said of it, which counts.",
    )
    code = serializers.CharField(required=False, help_text="On error: why, for machines.")

    @extend_schema_field(serializers.ChoiceField(choices=sorted(set(STATUS.values()))))
    def get_status(self, shadow: Shadow) -> str:
        return STATUS[ShadowState(shadow.state)]

    def to_representation(self, shadow: Shadow) -> dict[str, Any]:
        """What is not known yet, or of no use in its state, is absent."""
        answer: dict[str, Any] = super().to_representation(shadow)
        image = shadow.original
        if image is None or image.owner != shadow.owner or image.deleted_at:
            del answer["imageId"]
        if answer["status"] == "done":
            answer["detail"] = shadow.sentence
        else:
            for name in ("verdict", "reason", "sizes", "comparedAt"):
                answer.pop(name, None)
        if answer["status"] == "processing":
            for name in ("code", "detail"):
                del answer[name]
        return {name: value for name, value in answer.items() if value not in ("", None)}
