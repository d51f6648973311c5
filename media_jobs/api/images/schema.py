"""What the OpenAPI document says beside the wire words: headers, problems, examples."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from media_jobs.api.images.serializers import JobSerializer

_JOB, _IMAGE, _EARLIER, _UPLOAD = (
    "01990000-0000-7000-8000-000000000001",
    "01990000-0000-7000-8000-000000000002",
    "01990000-0000-7000-8000-000000000003",
    "01990000-0000-7000-8000-000000000004",
)

NO_IMAGE = ("not_found", "No such image, or another's")
OVER_IN_TIME = OpenApiResponse(JobSerializer, description="With `wait`: the job is over already, and this is it")

_ACCEPTED = {"jobId": _JOB, "imageId": _IMAGE, "estimatedTime": 1200}
UPLOADED = [
    OpenApiExample("new", value=_ACCEPTED, summary="A new picture", response_only=True, status_codes=["202"]),
    OpenApiExample(
        "duplicate",
        value={**_ACCEPTED, "duplicateOf": _EARLIER},
        summary="The same bytes again",
        response_only=True,
        status_codes=["202"],
    ),
    OpenApiExample(
        "staged",
        value={"uploadId": _UPLOAD, "preset": "gallformers"},
        summary="A picture that is in the storage already",
        request_only=True,
        media_type="application/json",
    ),
]
OPENED = [
    OpenApiExample(
        "photo",
        value={"filename": "gall.jpg", "contentType": "image/jpeg", "bytes": 9_631_744},
        summary="A photo of a known size",
        request_only=True,
    ),
    OpenApiExample(
        "opened",
        value={
            "uploadId": _UPLOAD,
            "url": "https://bucket.s3.eu-central-1.amazonaws.com/",
            "fields": {
                "key": f"uploads/{_UPLOAD}",
                "Content-Type": "image/jpeg",
                "policy": "…",
                "x-amz-signature": "…",
            },
            "expiresAt": "2030-01-01T12:15:00Z",
            "maxBytes": 9_631_744,
        },
        summary="A form for S3",
        response_only=True,
        status_codes=["201"],
    ),
]
