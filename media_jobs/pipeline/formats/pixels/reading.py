"""What is to be done with what a decoder gives, before it is the picture. Stdlib only."""

from dataclasses import dataclass

from media_jobs.pipeline.formats.pixels.heif_transforms import Window
from media_jobs.pipeline.formats.pixels.tiff_samples import PLAIN, Samples


@dataclass(frozen=True, slots=True)
class Reading:
    """whole_px: width and height of what the decoder gives, where `window` is to be cut out of that.

    page: of a TIFF, from 0. samples: of that page. premultiplied: colours come dimmed by their alpha.
    """

    whole_px: tuple[int, int] | None = None
    window: Window | None = None
    page: int = 0
    samples: Samples = PLAIN
    premultiplied: bool = False


#: The decoder gives the picture.
AS_IT_IS = Reading()
