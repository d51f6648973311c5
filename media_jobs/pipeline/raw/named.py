"""What a raw file says of its previews, before anybody has looked at them."""

from dataclasses import dataclass, field

Px = tuple[int, int]  #: width and height

#: More previews than that are made up; real files have up to seven.
MAX_PREVIEWS = 64


@dataclass(frozen=True, slots=True)
class Named:
    """A part of the file that is said to be a preview.

    extents: start and end of each of its pieces in their order, perhaps beyond the file's end.
    said_px: its size as a directory has it, zeros where none does; it may be a lie.
    exact: it is a preview only if the JPEG's own size is `said_px`, else its pieces are pictures of their own.
    """

    extents: tuple[tuple[int, int], ...]
    said_px: Px = (0, 0)
    exact: bool = False

    @property
    def size_bytes(self) -> int:
        return sum(end - start for start, end in self.extents)

    @property
    def end(self) -> int:
        return max(end for _, end in self.extents)


@dataclass(frozen=True, slots=True)
class Unread:
    """A preview in a coding that is not read here. size_px: zeros where it is not known."""

    coding: str
    size_px: Px


@dataclass(slots=True)
class Listing:
    """Everything that a raw file names.

    orientation: its own tag, 1 to 8; 0 where it has none. raw_px: size of the raw data as the sensor lies, zeros where
    it is not known. breaks_off: a directory that might name more lies beyond the file's end.
    """

    previews: list[Named] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    orientation: int = 0
    raw_px: Px = (0, 0)
    breaks_off: bool = False

    def add(self, extents: tuple[tuple[int, int], ...], said_px: Px = (0, 0), *, exact: bool = False) -> None:
        """Add a preview, unless it is empty, known already, or one too many."""
        named = Named(extents, said_px, exact)
        known = any(extents == other.extents for other in self.previews)
        is_there = bool(extents) and all(0 < start < end for start, end in extents)
        if is_there and not known and len(self.previews) < MAX_PREVIEWS:
            self.previews.append(named)

    def add_raw(self, size_px: Px) -> None:
        """Note the size of raw data; the largest counts."""
        if size_px[0] * size_px[1] > self.raw_px[0] * self.raw_px[1]:
            self.raw_px = size_px
