"""Which page of a TIFF is the picture. Stdlib only."""

from collections.abc import Iterator
from dataclasses import dataclass

from media_jobs import errors
from media_jobs.pipeline.formats import tiff
from media_jobs.pipeline.formats.common import Bytes, Damaged

_WIDTH, _HEIGHT, _PHOTOMETRIC = 0x0100, 0x0101, 0x0106
_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 0x00FE, 0x00FF
_SAMPLE_TAGS = frozenset({0x0102, 0x0106, 0x0152, 0x0153, 0x0212})  #: depth, colours, alpha, kind, subsampling
_REDUCED, _MASK = 1, 4  #: bits of the new subfile type
_OLD_REDUCED = 2
_MAX_PAGES = 10_000
_PHOTOMETRIC_MASK = 4


@dataclass(frozen=True, slots=True)
class Page:
    """A page, by its number as decoders count them, from 0. tags: its readable ones."""

    index: int
    directory: tiff.Directory
    tags: dict[int, tiff.Value]

    def last(self) -> tuple[int, bytes]:
        """A place in the file, and the bytes that would make this its last page."""
        return self.directory.link(), bytes(8 if self.directory.tiff.big else 4)

    def is_complete(self, data: Bytes) -> bool:
        """Whether the page, and all its strips or tiles, lie within the file."""
        return self.directory.reach() <= len(data) and all(end <= len(data) for _, end in tiff.pieces(self.tags))

    def lacks_values(self, data: Bytes) -> bool:
        """Whether what its samples are lies beyond the end of the file."""
        missing = _SAMPLE_TAGS.intersection(entry[0] for entry in self.directory.entries) - self.tags.keys()
        return bool(missing) and self.directory.reach() > len(data)

    def is_reduced(self) -> bool:
        reduced = tiff.number(self.tags, _SUBFILE_TYPE) & _REDUCED
        return bool(reduced) or tiff.number(self.tags, _OLD_SUBFILE_TYPE) == _OLD_REDUCED

    def is_picture(self) -> bool:
        return not self.is_reduced() and not self.is_mask()

    def is_mask(self) -> bool:
        masking = tiff.number(self.tags, _SUBFILE_TYPE) & _MASK
        return bool(masking) or tiff.number(self.tags, _PHOTOMETRIC) == _PHOTOMETRIC_MASK


def find(data: Bytes) -> Page:
    """The first page that is neither a smaller version of another nor a mask; failing that, the first that is no mask.

    What lies behind it does not matter. Raises Truncated or Undecodable where it cannot be found.
    """
    seen = []
    try:
        for page in _pages(tiff.Tiff.parse(data)):
            if page.directory.end > len(data):
                raise errors.Truncated
            if page.index and not {_WIDTH, _HEIGHT} <= page.tags.keys():
                raise errors.Undecodable
            seen.append(page)
            if page.is_picture():
                break
    except Damaged as error:
        raise errors.Undecodable from error
    found, *_ = (*filter(Page.is_picture, seen), *(page for page in seen if not page.is_mask()), seen[0])
    if found.lacks_values(data):
        raise errors.Truncated
    return found


def _pages(structure: tiff.Tiff) -> Iterator[Page]:
    """The first page and those that follow it. Raises Damaged."""
    offset, seen = structure.first, set[int]()
    while not seen or (offset and offset not in seen):
        if len(seen) == _MAX_PAGES:
            raise Damaged("absurdly many pages")
        directory = structure.directory(offset)
        yield Page(len(seen), directory, directory.tags())
        seen.add(offset)
        offset = directory.following
