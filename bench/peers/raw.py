"""A raw file's preview, ready in a file for the JPEG decoder: by our own tables of layouts, and by LibRaw alone.

The latter is how it was done before there were tables. Both write into one file that is there already.
"""

from pathlib import Path
from tempfile import NamedTemporaryFile

from bench.peers.lines import serve
from media_jobs.pipeline.formats import jpeg_frame
from media_jobs.pipeline.readers import libraw, raw

#: One takes a millisecond or so.
_TIMES = 20
_LEAST_PX = 640


def by_tables(picture: Path, into: Path) -> tuple[int, int]:
    preview = raw.previews(picture, picture.suffix[1:], _LEAST_PX)[0]
    preview.write(picture, into)
    return preview.size_px


def by_libraw(picture: Path, into: Path) -> tuple[int, int]:
    extracted = libraw.extract(picture)
    assert extracted
    into.write_bytes(extracted.jpeg)
    return jpeg_frame.size_px(extracted.jpeg)


def main() -> None:
    with NamedTemporaryFile() as file:
        into = Path(file.name)
        serve(
            {
                "tables": lambda picture: [by_tables(picture, into) for _ in range(_TIMES)],
                "LibRaw": lambda picture: [by_libraw(picture, into) for _ in range(_TIMES)],
                "tables, first": lambda picture: [by_tables(picture, into)],
                "LibRaw, first": lambda picture: [by_libraw(picture, into)],
            }
        )


if __name__ == "__main__":
    main()
