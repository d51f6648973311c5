"""What a picture should look like at a size: the original, upright, in sRGB, averaged down.

Importing this loads libvips.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pyvips

from media_jobs.pipeline.compare import likeness
from media_jobs.pipeline.compare.scales import Scales, Size
from media_jobs.pipeline.compare.shown import resized

_T = TypeVar("_T")


class Reference:
    """One original, decoded once, as large as the largest comparison needs it. Sizes that are alike share all of it."""

    def __init__(self, master: pyvips.Image) -> None:
        self._master = master
        self._made: dict[tuple[str, Size], Any] = {}

    def whole(self, size_px: Size) -> likeness.Whole:
        return self._once("whole", size_px, lambda: likeness.Whole(likeness.luminance(self._image(size_px))))

    def colours(self, at: Scales) -> pyvips.Image:
        """In Lab."""
        whole = self._image(at.whole_px)
        return self._once("colours", at.whole_px, lambda: likeness.colours(whole, at.colour_by))

    def finest(self, at: Scales) -> list[likeness.Plane]:
        """The fine detail of those parts that have the most of it."""
        whole = self.whole(at.whole_px)
        return self._once("finest", at.fine_px, lambda: whole.finest(resized(self._master, at.fine_px, "lanczos3")))

    def _image(self, size_px: Size) -> pyvips.Image:
        return self._once("image", size_px, lambda: resized(self._master, size_px))

    def _once(self, what: str, size_px: Size, make: Callable[[], _T]) -> _T:
        if (what, size_px) not in self._made:
            self._made[what, size_px] = make()
        made: _T = self._made[what, size_px]
        return made
