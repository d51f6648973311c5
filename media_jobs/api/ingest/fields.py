"""What callers of /api/v1/ingest send."""

from rest_framework import serializers

from media_jobs.api.shared.bodies.upload_fields import FileFirst, UploadFields

#: The preset of all that comes in here.
PRESET = "ingest"

_FORMATS = "JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP or RAW (DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2)."


class UploadForm(FileFirst, UploadFields):
    """The form of an upload, as the documentation shows it; the file itself is streamed past it."""

    image = serializers.FileField(help_text=f"The picture: {_FORMATS}")


class BatchForm(FileFirst, UploadFields):
    """The form of a batch; its text fields hold for all files."""

    images = serializers.ListField(
        child=serializers.FileField(), help_text=f"The pictures, all in this one field: {_FORMATS}"
    )
