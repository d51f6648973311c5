"""Remembers of which files nothing can be made, and which version of the engine found so.

A run over what is missing leaves them alone until there is another version, or a person says otherwise.
"""

from uuid import UUID

from media_jobs.errors import DecoderCrashed, DecoderTimeout, ImageRefused, MediaError, WorkerLost
from media_jobs.models import Original
from media_jobs.staleness import current_engine

#: What the same file brings about again in the same engine. That its object is missing is no such thing.
_PERMANENT = (ImageRefused, DecoderCrashed, DecoderTimeout, WorkerLost)


def remember(original_id: UUID, error: MediaError) -> None:
    """Note that a job over this original gave up for this, where that says something of the file."""
    if isinstance(error, _PERMANENT):
        Original.objects.filter(pk=original_id).update(refused_code=error.code, refused_by=current_engine())
