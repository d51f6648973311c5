"""What a decoder says of its outputs, checked by a process that does not trust it."""

import stat
from pathlib import Path

from media_jobs.pipeline.recipes import Format, Rendition
from media_jobs.pipeline.values import Rendered, Request


def verify(rendered: Rendered, request: Request) -> None:
    """Raises ValueError unless the outputs are those that were asked for, each a plain file of the request's folder.

    Without this, a decoder that was taken over could have any file published that its reader may open.
    """
    wanted = request.preset.renditions
    if [output.name for output in rendered.outputs] != [rendition.name for rendition in wanted]:
        raise ValueError("other renditions than were asked for")
    for output, rendition in zip(rendered.outputs, wanted, strict=True):
        if output.format not in _possible(rendition, rendered.format):
            raise ValueError(f"{rendition.name} has another format than was asked for")
        digest = request.digest(rendition, rights=rendered.rights, engine=rendered.engine)
        if (output.file, output.digest) != (rendition.file_name(output.format), digest):
            raise ValueError(f"{rendition.name} is not what was asked for")
        found = (Path(request.into) / output.file).lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size != output.size_bytes:
            raise ValueError(f"{rendition.name} is not a plain file of the size that was told")


def _possible(rendition: Rendition, source: str) -> set[Format]:
    return {rendition.format.resolved(source=source, transparent=transparent) for transparent in (True, False)}
