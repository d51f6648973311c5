"""The table: what a fault in a call of S3 does to who asked for what the call is part of.

Rows are calls, columns faults. Left of the stroke what comes of a fault that happens once, right of it of one that
lasts; a point stands where the fault cannot be, or nothing can tell: a live site says of no file which bytes it has.

    ok  it succeeds all the same: tried again within bounds, or not needed
    un  storage_unavailable
    de  storage_denied
    ld  legacy_denied
    sk  storage_clock_skewed
    bu  bucket_missing
    ch  original_changed
    mi  upload_mismatch, and the job has failed: a person may queue it again
    br  the answer breaks off, short of what it promised: the client asks for the rest
    et  other bytes come, and are not those of the ETag
"""

from dataclasses import dataclass
from enum import StrEnum

from tests.faults.injections import Fault
from tests.faults.messages import Operation


class Doing(StrEnum):
    """The operation that the call is part of; `scenarios` does it."""

    UPLOAD = "upload"  #: of one part
    LARGE_UPLOAD = "large_upload"  #: of several
    REFUSED_UPLOAD = "refused_upload"  #: a large one with a field that is wrong
    JOB = "job"
    FAILING_JOB = "failing_job"  #: whose last derivative is refused, so that the others are removed
    DIRECT_JOB = "direct_job"  #: over a file that came past the web process
    FETCHED_SHADOW = "fetched_shadow"  #: of a live site's picture, which is copied
    COMPARED_SHADOW = "compared_shadow"
    REFUSED_SHADOW = "refused_shadow"  #: of what is no picture: whether the site has made something of it
    HOUSEKEEPING = "housekeeping"
    DOWNLOAD = "download"  #: of an original, through the service
    LOOKING = "looking"  #: whether the storage is there


@dataclass(frozen=True, slots=True)
class Call:
    doing: Doing
    operation: Operation
    prefix: str = ""
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """once, lasting: what comes of it, "ok" or a code."""

    row: str
    call: Call
    fault: Fault
    once: str
    lasting: str

    @property
    def stalls(self) -> bool:
        """Whether it takes a time limit to notice."""
        return self.fault in (Fault.STALL, Fault.HALF_ANSWER)

    def __str__(self) -> str:
        return f"{self.row}-{self.fault}"


OK = "ok"
_WORDS = {
    "ok": OK,
    "un": "storage_unavailable",
    "de": "storage_denied",
    "ld": "legacy_denied",
    "sk": "storage_clock_skewed",
    "bu": "bucket_missing",
    "ch": "original_changed",
    "mi": "failed: upload_mismatch",
    "br": "broken off",
    "et": "not what the ETag says",
}

CALLS = {
    "upload.put": Call(Doing.UPLOAD, Operation.PUT_OBJECT, "originals/"),
    "upload.create": Call(Doing.LARGE_UPLOAD, Operation.CREATE_UPLOAD, "originals/"),
    "upload.part": Call(Doing.LARGE_UPLOAD, Operation.UPLOAD_PART, "originals/", nth=2),
    "upload.complete": Call(Doing.LARGE_UPLOAD, Operation.COMPLETE_UPLOAD, "originals/"),
    "upload.abort": Call(Doing.REFUSED_UPLOAD, Operation.ABORT_UPLOAD, "originals/"),
    "job.fetch": Call(Doing.JOB, Operation.GET_OBJECT, "originals/"),
    "job.first": Call(Doing.JOB, Operation.PUT_OBJECT, "full/"),
    "job.last": Call(Doing.JOB, Operation.PUT_OBJECT, "thumb/"),
    "job.remove": Call(Doing.FAILING_JOB, Operation.DELETE_OBJECT, "full/"),
    "direct.fetch": Call(Doing.DIRECT_JOB, Operation.GET_OBJECT, "uploads/"),
    "direct.put": Call(Doing.DIRECT_JOB, Operation.PUT_OBJECT, "originals/"),
    "direct.remove": Call(Doing.DIRECT_JOB, Operation.DELETE_OBJECT, "uploads/"),
    "shadow.fetch": Call(Doing.FETCHED_SHADOW, Operation.GET_OBJECT, "gall/"),
    "shadow.put": Call(Doing.FETCHED_SHADOW, Operation.PUT_OBJECT, "originals/"),
    "shadow.theirs": Call(Doing.COMPARED_SHADOW, Operation.GET_OBJECT, "gall/"),
    "shadow.look": Call(Doing.REFUSED_SHADOW, Operation.LIST_OBJECTS, "gall/"),
    "keep.list": Call(Doing.HOUSEKEEPING, Operation.LIST_OBJECTS),
    "keep.writes": Call(Doing.HOUSEKEEPING, Operation.LIST_UPLOADS),
    "keep.delete": Call(Doing.HOUSEKEEPING, Operation.DELETE_OBJECT),
    "keep.abort": Call(Doing.HOUSEKEEPING, Operation.ABORT_UPLOAD),
    "read.open": Call(Doing.DOWNLOAD, Operation.GET_OBJECT, "originals/"),
    "look.create": Call(Doing.LOOKING, Operation.CREATE_UPLOAD, "uploads/"),
    "look.abort": Call(Doing.LOOKING, Operation.ABORT_UPLOAD, "uploads/"),
}

_TABLE = """
                 slow_down  internal_error  reset  lost   stall  cut_request  damaged_request  cut_answer  half_answer  damaged_answer  denied  expired  skewed  no_bucket  no_upload
upload.put       ok/un      ok/un           ok/un  ok/un  ok/un  ok/un        ok/un            .           .            .               de/de   de/de    sk/sk   bu/bu      .
upload.create    ok/un      ok/un           ok/un  ok/un  ok/un  .            .                .           .            .               de/de   de/de    sk/sk   bu/bu      .
upload.part      ok/un      ok/un           ok/un  ok/un  ok/un  ok/un        ok/un            .           .            .               de/de   de/de    sk/sk   bu/bu      un/un
upload.complete  ok/un      ok/un           ok/un  ok/un  ok/un  ok/un        un/un            .           .            .               de/de   de/de    sk/sk   bu/bu      un/un
upload.abort     ok/ok      ok/ok           ok/ok  ok/ok  ok/ok  .            .                .           .            .               ok/ok   ok/ok    ok/ok   ok/ok      ok/ok
job.fetch        ok/un      ok/un           ok/un  ok/un  ok/un  .            .                ok/un       ok/un        ch/ch           de/de   de/de    sk/sk   bu/bu      .
job.first        ok/un      ok/un           ok/un  ok/un  ok/un  ok/un        ok/un            .           .            .               de/de   de/de    sk/sk   bu/bu      .
job.last         ok/un      ok/un           ok/un  ok/un  ok/un  ok/un        ok/un            .           .            .               de/de   de/de    sk/sk   bu/bu      .
job.remove       un/un      un/un           un/un  un/un  un/un  .            .                .           .            .               un/un   un/un    un/un   un/un      .
direct.fetch     ok/un      ok/un           ok/un  ok/un  ok/un  .            .                ok/un       ok/un        ok/mi           de/de   de/de    sk/sk   bu/bu      .
direct.put       ok/un      ok/un           ok/un  ok/un  ok/un  ok/un        ok/un            .           .            .               de/de   de/de    sk/sk   bu/bu      .
direct.remove    ok/ok      ok/ok           ok/ok  ok/ok  ok/ok  .            .                .           .            .               ok/ok   ok/ok    ok/ok   ok/ok      .
shadow.fetch     ok/un      ok/un           ok/un  ok/un  ok/un  .            .                ok/un       ok/un        .               ld/ld   ld/ld    sk/sk   bu/bu      .
shadow.put       ok/un      ok/un           ok/un  ok/un  ok/un  ok/un        ok/un            .           .            .               de/de   de/de    sk/sk   bu/bu      .
shadow.theirs    ok/un      ok/un           ok/un  ok/un  ok/un  .            .                ok/un       ok/un        .               ld/ld   ld/ld    sk/sk   bu/bu      .
shadow.look      ok/un      ok/un           ok/un  ok/un  ok/un  .            .                ok/un       ok/un        .               ld/ld   ld/ld    sk/sk   bu/bu      .
keep.list        ok/un      ok/un           ok/un  ok/un  ok/un  .            .                ok/un       ok/un        .               de/de   de/de    sk/sk   bu/bu      .
keep.writes      ok/un      ok/un           ok/un  ok/un  ok/un  .            .                ok/un       ok/un        .               de/de   de/de    sk/sk   bu/bu      .
keep.delete      ok/un      ok/un           ok/un  ok/un  ok/un  .            .                .           .            .               de/de   de/de    sk/sk   bu/bu      .
keep.abort       ok/un      ok/un           ok/un  ok/un  ok/un  .            .                .           .            .               de/de   de/de    sk/sk   bu/bu      ok/ok
read.open        ok/un      ok/un           ok/un  ok/un  ok/un  .            .                br/br       br/br        et/et           de/de   de/de    sk/sk   bu/bu      .
look.create      ok/un      ok/un           ok/un  ok/un  ok/un  .            .                .           .            .               de/de   de/de    sk/sk   bu/bu      .
look.abort       ok/un      ok/un           ok/un  ok/un  ok/un  .            .                .           .            .               de/de   de/de    sk/sk   bu/bu      ok/ok
"""  # noqa: E501  (a row of a table is a line)


def cells() -> list[Cell]:
    """All entries of the table."""
    head, *rows = (line.split() for line in _TABLE.strip().splitlines())
    faults = [Fault(name) for name in head]
    assert [row[0] for row in rows] == list(CALLS)
    assert all(len(row) == 1 + len(faults) for row in rows)
    return [
        Cell(name, CALLS[name], fault, *(_WORDS[word] for word in entry.split("/")))
        for name, *entries in rows
        for fault, entry in zip(faults, entries, strict=True)
        if entry != "."
    ]
