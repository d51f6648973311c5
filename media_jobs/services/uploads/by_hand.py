"""Files that a person sends by a form of the admin."""

from collections.abc import Iterable
from itertools import chain
from uuid import UUID

from django.db import transaction

from media_jobs import selectors
from media_jobs.callers import Caller
from media_jobs.errors import EmptyFile, FileTooLarge
from media_jobs.models import Original
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, sniff
from media_jobs.services import changes, originals
from media_jobs.services.images import deletion, redoing
from media_jobs.services.uploads import backlog, direct_uploads
from media_jobs.services.uploads.intake import Accepted, Upload, UploadOptions


def add(
    chunks: Iterable[bytes],
    filename: str,
    *,
    preset: str,
    actor: Caller,
    options: UploadOptions | None = None,
    replaces: Original | None = None,
) -> Accepted:
    """Take in a file, by the current version of `preset`. Raises ImageRefused, EmptyFile, UnknownPreset, BacklogFull,
    StorageUnavailable; then nothing was stored.
    """
    version = selectors.current_preset(preset)
    with backlog.place():
        upload = _written(chunks, filename, actor)
        try:
            upload.original.replaces = replaces
            upload.commit()
            with transaction.atomic():
                accepted = upload.write_rows(version, actor, options or UploadOptions())
                changes.record(upload.original, "added", actor=actor, after={"preset": str(version)})
            upload.end()
        finally:
            upload.abort()
    return accepted


def add_stored(upload_id: UUID, *, preset: str, actor: Caller, options: UploadOptions) -> Accepted:
    """Make an image of a file that a person's browser stored by itself, by a form of `direct_uploads.begin`.

    A worker looks at its bytes. Raises UnknownUpload, UploadUsed, UploadExpired, UnknownPreset, BacklogFull.
    """
    version = selectors.current_preset(preset)
    with backlog.place(), transaction.atomic():
        accepted = direct_uploads.accept_rows(upload_id, preset=version, caller=actor, options=options)
        changes.record(accepted.job.original, "added", actor=actor, after={"preset": str(version)})
    return accepted


def replace(image_id: UUID, chunks: Iterable[bytes], filename: str, *, actor: Caller) -> Accepted:
    """Put another file in the place of an image: it gets its rights, notes and tags, and the former one is deleted,
    which can be taken back. Raises what `add` does, and WrongState.
    """
    with transaction.atomic():
        image = redoing.lock(image_id)
    newest = redoing.presets_of(image)[-1]
    options = UploadOptions(
        preserve=dict(image.preserve),
        rights=dict(image.stated_rights),
        tags=tuple(image.tags.values_list("name", flat=True)),
    )
    accepted = add(chunks, filename, preset=newest.name, actor=actor, options=options, replaces=image)
    new = accepted.job.original_id
    with transaction.atomic():
        Original.objects.filter(pk=new).update(source=image.source, caption=image.caption)
        changes.record(image, "replaced", actor=actor, after={"by": f"{filename} ({new})"})
        deletion.delete(image.pk, actor=actor)
    return accepted


def _written(chunks: Iterable[bytes], filename: str, actor: Caller) -> Upload:
    """Send the bytes on to the storage; they are not committed yet."""
    head, rest = b"", iter(chunks)
    for chunk in rest:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    if not head:
        raise EmptyFile("The file is empty.")
    kind = sniff(head)
    limit = originals.size_limits().of(kind)
    upload = Upload(kind, filename=filename, caller=actor)
    try:
        for chunk in chain((head,), rest):
            if upload.size_bytes + len(chunk) > limit:
                raise FileTooLarge(limit_bytes=limit)
            upload.write(chunk)
    except BaseException:
        upload.abort()
        raise
    return upload
