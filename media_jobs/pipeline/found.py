"""What a picture's header says, and where the decoder finds it."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from media_jobs.pipeline import orientation
from media_jobs.pipeline.formats.pixels.reading import AS_IT_IS, Reading


@dataclass(frozen=True, slots=True)
class Found:
    """A picture's header. Use it in a `with` statement: what lies at `path` may be a temporary file.

    Width and height are as the decoder gives them, less what `reading` cuts off; before `turn`.
    """

    original: Path  #: the file as it came
    path: Path  #: what the decoder opens: the original, the preview of a raw file, or a repaired copy
    format: str  #: of the original
    coded_as: str  #: the format of what lies at `path`
    width_px: int
    height_px: int
    orientation: int  #: the original's EXIF tag, 1 to 8
    turn: int  #: what the decoder's pixels still need to be upright, as EXIF counts, 1 to 8
    frame_pixels: int  #: of one frame or page as it is coded, before any crop
    pages: int  #: frames of an animation, or pages of a TIFF; the first one is shown
    pixel_bytes: int
    size_bytes: int  #: of what lies at `path`
    buffered_pixels: int  #: how many pixels the decoder holds at once, beyond a few lines
    transparent: bool = False
    next_preview: int = 0  #: number of the next smaller one in a raw file, should this not decode; 0 if there is none
    #: What its colours are, as an ICC profile, where the file tells it in another way; empty for sRGB. None: as the
    #: decoder finds.
    profile: bytes | None = None
    reading: Reading = AS_IT_IS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.path != self.original:
            self.path.unlink(missing_ok=True)

    @property
    def frames(self) -> int:
        """How many frames an animation has; pages of a TIFF are pictures of their own."""
        return 1 if self.format == "tiff" else self.pages

    @property
    def pixels(self) -> int:
        """How many pixels all frames have together, or the one page that is shown."""
        return self.frame_pixels * self.frames

    @property
    def displayed_px(self) -> tuple[int, int]:
        """Width and height as a person sees them."""
        return self.rotated_px(0)

    def rotated_px(self, rotation: int) -> tuple[int, int]:
        """Width and height as a person sees them who has it rotated by so many degrees clockwise."""
        size = (self.width_px, self.height_px)
        return size[::-1] if orientation.sideways(orientation.combined(self.turn, rotation)) else size
