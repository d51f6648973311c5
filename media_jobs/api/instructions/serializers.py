"""The form of what the Instrlabs API answers: inside of its envelope, in its own words."""

from rest_framework import serializers

from media_jobs.api.instructions.fields import STATUSES
from media_jobs.models import Instruction, InstructionDetail, Product


class FileCountsSerializer(serializers.Serializer[None]):
    """How many files stand where."""

    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    processing = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Failed or cancelled.")


class InstructionSerializer(serializers.Serializer[Instruction]):
    """Files that belong together."""

    id = serializers.UUIDField()
    productId = serializers.UUIDField()  # noqa: N815  (the wire's spelling)
    product = serializers.CharField(help_text="The name of the product.")
    name = serializers.CharField()
    status = serializers.ChoiceField(
        choices=STATUSES,
        help_text="Derived from its files. PENDING: nothing was begun; PROCESSING: something is left; FAILED: all is "
        "over and at least one failed.",
    )
    counts = FileCountsSerializer()
    createdAt = serializers.DateTimeField()  # noqa: N815
    updatedAt = serializers.DateTimeField(help_text="When a file came or changed its status.")  # noqa: N815


class OriginalFileSerializer(serializers.Serializer[None]):
    """The file as it came."""

    filename = serializers.CharField()
    contentType = serializers.CharField()  # noqa: N815
    bytes = serializers.IntegerField(allow_null=True, help_text="null: not checked yet.")
    sha256 = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True, help_text="As displayed, in px; null before it is processed.")
    height = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(help_text="Where to download it, for who may.")


class ProcessedFileSerializer(serializers.Serializer[None]):
    """One file that was made."""

    variant = serializers.CharField()
    url = serializers.URLField(help_text="Public, and never changes.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField()
    contentType = serializers.CharField()  # noqa: N815


class ErrorSerializer(serializers.Serializer[None]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ProcessingSerializer(serializers.Serializer[None]):
    """How the work goes, or went."""

    preset = serializers.CharField(help_text="Name and version.")
    stage = serializers.CharField()
    progress = serializers.IntegerField(help_text="Per cent.")
    attempts = serializers.IntegerField()
    durationMs = serializers.IntegerField(allow_null=True)  # noqa: N815
    renderMs = serializers.IntegerField(allow_null=True)  # noqa: N815
    cpuMs = serializers.IntegerField(allow_null=True)  # noqa: N815
    peakMemoryBytes = serializers.IntegerField(allow_null=True)  # noqa: N815


class DetailSerializer(serializers.Serializer[InstructionDetail]):
    """One file of an instruction."""

    id = serializers.UUIDField()
    instructionId = serializers.UUIDField()  # noqa: N815
    jobId = serializers.UUIDField(  # noqa: N815
        allow_null=True, help_text="Of its events; null once it was cleaned up."
    )
    imageId = serializers.UUIDField(allow_null=True)  # noqa: N815
    original = OriginalFileSerializer()
    status = serializers.ChoiceField(choices=STATUSES)
    processed = ProcessedFileSerializer(many=True)
    error = ErrorSerializer(allow_null=True)
    processing = ProcessingSerializer(allow_null=True)
    cleaned = serializers.BooleanField(help_text="The file and what was made of it are gone.")
    createdAt = serializers.DateTimeField()  # noqa: N815
    startedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    finishedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815


class AddedSerializer(serializers.Serializer[None]):
    """What became of one file: the detail, or `error`."""

    filename = serializers.CharField()
    detail = DetailSerializer(allow_null=True)
    error = ErrorSerializer(allow_null=True)


class FilesAddedSerializer(serializers.Serializer[None]):
    items = AddedSerializer(many=True, help_text="In the order in which the files came.")
    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()


class LimitsSerializer(serializers.Serializer[None]):
    """null: no limit."""

    maxBytes = serializers.IntegerField()  # noqa: N815
    maxRawBytes = serializers.IntegerField(help_text="Of a camera raw file.")  # noqa: N815
    maxPixels = serializers.IntegerField()  # noqa: N815
    filesPerInstruction = serializers.IntegerField(allow_null=True)  # noqa: N815
    filesPerDay = serializers.IntegerField(allow_null=True)  # noqa: N815
    formats = serializers.ListField(child=serializers.CharField(), allow_null=True)


class RetentionSerializer(serializers.Serializer[None]):
    """Days after which files are cleaned up; null: they are kept."""

    doneDays = serializers.IntegerField(allow_null=True)  # noqa: N815
    failedDays = serializers.IntegerField(allow_null=True)  # noqa: N815


class ProductSerializer(serializers.Serializer[Product]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    preset = serializers.CharField()
    limits = LimitsSerializer()
    retention = RetentionSerializer()


class UncleanedSerializer(serializers.Serializer[None]):
    """A file that is still there."""

    kind = serializers.ChoiceField(choices=["file", "upload"])
    id = serializers.UUIDField(help_text="Of the detail, or of the direct upload.")
    instructionId = serializers.UUIDField(allow_null=True)  # noqa: N815
    imageId = serializers.UUIDField(allow_null=True)  # noqa: N815
    product = serializers.CharField(allow_null=True)
    owner = serializers.CharField()
    filename = serializers.CharField()
    bytes = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    createdAt = serializers.DateTimeField()  # noqa: N815
    finishedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    dueAt = serializers.DateTimeField(  # noqa: N815
        allow_null=True, help_text="When clean-up takes it; null: it is kept, or not over yet."
    )
