"""What there is to download of a file of an instruction: the original, and what was made of it."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import FileCleaned, NotProcessed, UnknownVariant
from media_jobs.keys import is_public
from media_jobs.models import Derivative, InstructionDetail, Original
from media_jobs.ports import ObjectReader
from media_jobs.services import originals
from media_jobs.states import JobState, OriginalState

ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Download:
    """A stored object, and under which name it is saved. sha256: of its bytes. original: where it is one."""

    key: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    original: Original | None = None

    @property
    def is_public(self) -> bool:
        return is_public(self.key)

    def open(self, *, start: int = 0, end: int | None = None) -> ObjectReader:
        """Open it for reading. Raises ReadsNotConfigured, ObjectMissing, StorageUnavailable."""
        return store(Role.READ).open(self.key, start=start, end=end)

    def link(self) -> str:
        """Return where it can be fetched from: a derivative for ever, an original for five minutes.

        Raises ReadsNotConfigured, WrongState.
        """
        return originals.link(self.original) if self.original else store(Role.WEB).url(self.key)


def find(detail: InstructionDetail, variant: str) -> Download:
    """Return the variant of that name; without a name the largest that was made.

    Raises FileCleaned, NotProcessed, UnknownVariant.
    """
    if detail.job is None or detail.job.original.deleted_at or detail.job.original.state == OriginalState.DELETED:
        raise FileCleaned
    if variant == ORIGINAL:
        return _of_original(detail.job.original)
    if detail.state != JobState.DONE:
        raise NotProcessed(status=detail.state)
    made = selectors.derivatives_of(detail.job)
    if not made:  # somebody works on the image anew
        raise NotProcessed(status=detail.state)
    if not variant:
        return _of_derivative(max(made, key=lambda one: one.width_px * one.height_px), detail)
    named = next((one for one in made if one.rendition == variant), None)
    if named is None:
        raise UnknownVariant(variant[:64], [ORIGINAL, *(one.rendition for one in made)])
    return _of_derivative(named, detail)


def _of_original(original: Original) -> Download:
    if original.state != OriginalState.ACTIVE:
        raise NotProcessed(status="not checked yet")
    name = original.filename or PurePosixPath(original.key).name
    return Download(original.key, name, original.content_type, original.size_bytes, original.sha256, original=original)


def _of_derivative(made: Derivative, detail: InstructionDetail) -> Download:
    stem = PurePosixPath(detail.filename).stem or str(made.original_id)
    name = f"{stem}-{made.rendition}{PurePosixPath(made.key).suffix}"
    return Download(made.key, name, made.content_type, made.size_bytes, made.sha256)
