"""What the corpus says of its files."""

import csv
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FILE_NAME = "manifest.csv"


class Expected(StrEnum):
    OK = "ok"  #: must be rendered, at the size that the manifest states
    REJECT = "reject"  #: must be refused
    EITHER = "either"  #: one or the other, but with an answer


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. `size_px` as displayed and the EXIF tag `orientation`, where they are known; `path` is absolute."""

    name: str
    path: Path
    sha256: str
    expected: Expected
    size_px: tuple[int, int] | None
    orientation: int | None


def read(corpus: Path) -> list[Entry]:
    """Raises OSError when there is no manifest, KeyError and ValueError when it is none."""
    with (corpus / FILE_NAME).open(newline="") as file:
        return [_entry(row, corpus.resolve()) for row in csv.DictReader(file)]


def _entry(row: dict[str, str], corpus: Path) -> Entry:
    size_px = (int(row["width"]), int(row["height"])) if row["width"] and row["height"] else None
    # Of HEIF files the column tells what their XMP says, which means nothing there.
    tagged = row["exif_orientation"] and row["format"] not in ("avif", "heic")
    return Entry(
        name=row["file"],
        path=corpus / row["file"],
        sha256=row["sha256"],
        expected=Expected(row["expected"]),
        size_px=size_px,
        orientation=int(row["exif_orientation"]) if tagged else None,
    )
