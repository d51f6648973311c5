"""Failures by what to do about them, as a curator thinks of them."""

from dataclasses import dataclass

from media_jobs.errors import Blame, all_kinds


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do about failures of some codes.

    title: what is wrong, in a few words. todo: what to do. whose: whose fault it is. retry: whether that can help.
    message: what the uploader is told, to be edited before; empty where the uploader can do nothing.
    """

    name: str
    title: str
    todo: str
    whose: str
    retry: bool = False
    message: str = ""


DAMAGED = Remedy(
    "damaged",
    "Damaged file",
    "Ask for a new copy: what arrived is not a whole picture, and trying again cannot help.",
    "the file",
    message="The picture arrived damaged. Please send it again, from the original file.",
)
FORMAT = Remedy(
    "format",
    "No picture that can be read",
    "Ask for another format, such as JPEG, PNG or TIFF.",
    "the file",
    message="This kind of file cannot be read. Please send the picture as JPEG, PNG or TIFF.",
)
LARGE = Remedy(
    "large",
    "Too large",
    "Ask for a smaller version; or have an operator raise the limit, then retry.",
    "the file, or our limits",
    retry=True,
    message="The picture is larger than we can take. Please send a smaller version.",
)
MISSING = Remedy(
    "missing",
    "Never arrived",
    "Ask for it again: the upload was not finished, or was not what had been announced.",
    "the upload",
    message="The upload did not arrive whole. Please send the picture again.",
)
STORAGE = Remedy(
    "storage",
    "Storage, network or disk",
    "Retry all once the storage is well again. The pictures are not to blame.",
    "the service's surroundings",
    retry=True,
)
MACHINE = Remedy(
    "machine",
    "Took too much memory or time",
    "Retry; if that fails again, an operator gives the workers more memory or time.",
    "the machine",
    retry=True,
)
BUG = Remedy(
    "bug",
    "A fault of the service",
    "Retry once; then tell an operator, who finds more on the job's page.",
    "the service",
    retry=True,
)
REMEDIES = {remedy.name: remedy for remedy in (DAMAGED, FORMAT, LARGE, MISSING, STORAGE, MACHINE, BUG)}

_BY_CODE = {
    "unsupported_format": FORMAT,
    "raw_no_preview": FORMAT,
    "file_too_large": LARGE,
    "too_many_pixels": LARGE,
    "too_many_frames": LARGE,
    "too_much_memory": LARGE,
    "upload_missing": MISSING,
    "upload_mismatch": MISSING,
    "upload_changed": MISSING,
    "worker_lost": MACHINE,
}
_BY_BLAME = {Blame.FILE: DAMAGED, Blame.SERVER: STORAGE, Blame.MACHINE: MACHINE, Blame.BUG: BUG}


def of(code: str) -> Remedy:
    """Return what to do about a failure; of a code that no error has any more, it is a fault of ours."""
    return _OF_CODES.get(code, BUG)


def codes_of(remedy: Remedy) -> frozenset[str]:
    """Return the codes of all errors that it is about."""
    return frozenset(code for code, found in _OF_CODES.items() if found is remedy)


_OF_CODES = {
    kind.code: _BY_CODE.get(kind.code, _BY_BLAME[kind.blame])
    for kind in all_kinds()
    if hasattr(kind, "code") and getattr(kind, "blame", None) in _BY_BLAME
}
