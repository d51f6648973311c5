"""Reads lists of images: one id in each line, in the first column where there are several."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from media_jobs.errors import BadRequest


def read(lines: Iterable[str], *, most: int | None = None) -> Iterator[UUID]:
    """Yield the ids. A first line without one is a heading; empty lines are passed over.

    Raises BadRequest, which names the line, for what is no id, and for more than `most`.
    """
    count = 0
    for number, line in enumerate(lines, start=1):
        cell = line.partition(",")[0].strip().strip('"').removeprefix("\ufeff")
        if not cell:
            continue
        try:
            image = UUID(cell)
        except ValueError:
            if number == 1:
                continue
            raise BadRequest(f"Line {number:,} begins with {cell[:40]!r}, which is no id of an image.") from None
        count += 1
        if most is not None and count > most:
            raise BadRequest(f"There are more than {most:,} ids; `manage.py reprocess` takes any number of them.")
        yield image
