"""What can be done to many pictures, in words, and who may."""

from dataclasses import dataclass

from django.http import HttpRequest

from media_jobs.states import BulkKind


@dataclass(frozen=True, slots=True)
class Kind:
    """title: in the list of what can be done. verb: of the button that confirms. keep: of the one that does not.

    about: what follows. permission: what it takes.
    """

    title: str
    verb: str
    keep: str
    about: str
    permission: str
    bad: bool = False


KINDS = {
    BulkKind.REDO: Kind(
        "Make web versions anew…",
        "Make anew of",
        "Leave them as they are",
        "A run makes them, behind all uploads. What is there now is kept, and the run can be rolled back.",
        "media_jobs.redo_original",
    ),
    BulkKind.RIGHTS: Kind(
        "Set rights…",
        "Set rights of",
        "Leave them as they are",
        "What you leave empty stays as it is. The web versions become stale: a run writes it into them.",
        "media_jobs.change_original",
    ),
    BulkKind.TAG: Kind(
        "Add tags…", "Tag", "Leave them as they are", "The tags that they have stay.", "media_jobs.change_original"
    ),
    BulkKind.RETRY: Kind(
        "Retry what failed",
        "Retry",
        "Leave them",
        "Those whose newest job failed or was cancelled are queued again, behind all uploads.",
        "media_jobs.retry_job",
    ),
    BulkKind.CANCEL: Kind(
        "Cancel their jobs",
        "Cancel the jobs of",
        "Let them go on",
        "Jobs that wait or are in work stop, and what they have made so far is discarded.",
        "media_jobs.cancel_job",
    ),
    BulkKind.DELETE: Kind(
        "Delete",
        "Delete",
        "Keep them",
        "Their links stop working at once. They can be restored for a week.",
        "media_jobs.delete_original",
        bad=True,
    ),
    BulkKind.RESTORE: Kind(
        "Restore",
        "Restore",
        "Leave them deleted",
        "Their web versions are made anew.",
        "media_jobs.delete_original",
    ),
}


def kinds_for(request: HttpRequest, *, deleted: bool) -> list[tuple[str, str]]:
    """Return what this person may do to many: to what is deleted, restoring it alone."""
    return [
        (kind.value, about.title)
        for kind, about in KINDS.items()
        if (kind is BulkKind.RESTORE) == deleted and request.user.has_perm(about.permission)
    ]
