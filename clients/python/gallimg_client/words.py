"""What the service says and takes, in its own words: the documentation of the API explains each."""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

Status = Literal["processing", "done", "error"]


class Accepted(TypedDict):
    """A job that was queued. estimatedTime: in milliseconds. duplicateOf: an image of yours with the same bytes."""

    jobId: str
    imageId: str
    estimatedTime: int
    duplicateOf: NotRequired[str]


class Derivative(TypedDict):
    """A file made of a picture. width, height: in px. stale: the rights were changed since; as part of an image."""

    name: str
    key: str
    url: str
    width: int
    height: int
    bytes: int
    contentType: str
    stale: NotRequired[bool]


class Job(TypedDict):
    """A job. progress: per cent. estimatedTime: in milliseconds, while processing. code, detail: on error, why."""

    jobId: str
    imageId: str
    preset: str
    status: Status
    stage: str
    progress: int
    derivatives: list[Derivative]
    estimatedTime: NotRequired[int]
    code: NotRequired[str]
    detail: NotRequired[str]


class Event(TypedDict):
    """Something that happened to a job. number: counts the job's events without gaps. status: the job's since then."""

    jobId: str
    imageId: str
    number: int
    type: str
    status: Status
    at: str
    stage: NotRequired[str]
    code: NotRequired[str]
    detail: NotRequired[str]


class Rights(TypedDict, total=False):
    """Whose a picture is. When changed: None lets the file decide again, an empty text says that there is none."""

    creator: str | None
    credit: str | None
    copyright: str | None
    licence: str | None
    digitalSourceType: str


class ImageSummary(TypedDict):
    """An image as it stands in a list. bytes, sha256: of the original. restorableUntil: of a deleted one."""

    imageId: str
    status: Status
    filename: str
    contentType: str
    bytes: int | None
    sha256: str | None
    width: int | None
    height: int | None
    createdAt: str
    restorableUntil: NotRequired[str]
    tags: list[str]
    rights: Rights
    placeholder: str | None
    dominantColour: str | None
    derivatives: list[Derivative]


class Image(ImageSummary):
    """All that is known of an image."""

    metadata: dict[str, Any]
    privacy: dict[str, Any] | None
    jobs: list[Job]


class Deleted(TypedDict):
    """An image that was deleted, and until when it can be restored."""

    imageId: str
    deletedAt: str
    restorableUntil: str


class UploadFields(TypedDict, total=False):
    """What may be said of a picture. rotation: clockwise, in degrees. focus: x and y from 0 to 1."""

    preset: str
    tags: Sequence[str]
    creator: str
    credit: str
    copyright: str
    licence: str
    rotation: Literal[0, 90, 180, 270]
    focus: tuple[float, float]
    preserveTimestamps: bool
    preserveCameraInfo: bool
    preserveGps: bool
    preserveDeviceSerial: bool


def as_text(value: object) -> str:
    """Return a field of a form as the service reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)
