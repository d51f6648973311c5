"""A live site's files, and shadows whose pictures are there, without a worker that made them."""

import functools
import io
from pathlib import Path

from PIL import Image

from media_jobs.models import Shadow
from media_jobs.services.cutover import legacy
from media_jobs.states import DerivativeState, JobState, ShadowState
from tests import images
from tests.factories import make_derivative, make_job, make_original


class Site:
    """Writes files where the site would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, key: str, content: bytes) -> None:
        (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / key).write_bytes(content)

    def write_sizes(self, key: str, photo: bytes, *, but: str = "") -> None:
        """The original and all sizes as the site makes them, but for one."""
        self.write(key, photo)
        for size, width_px in legacy.SIZES.items():
            if size != but:
                self.write(legacy.size_key(key, size), resized(photo, width_px, quality=100))

    def has(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*.*")}


@functools.lru_cache(maxsize=16)
def resized(photo: bytes, width_px: int, *, quality: int) -> bytes:
    picture = Image.open(io.BytesIO(photo))
    size = (width_px, round(picture.height * width_px / picture.width))
    return images.encoded(picture.resize(size, Image.Resampling.BOX), "JPEG", quality=quality)


def make_shadow(site: Site, key: str, photo: bytes, *, worse: bool = False) -> Shadow:
    """One that is due. worse: one of ours shows another picture."""
    site.write_sizes(key, photo)
    original = make_original(photo)
    job = make_job(original, preset="gallformers-legacy", state=JobState.DONE)
    width_px = Image.open(io.BytesIO(photo)).width
    for size, most_px in legacy.SIZES.items():
        shown = images.jpeg(300, 225, orientation=3) if worse and size == "small" else photo
        content = resized(shown, min(most_px, width_px), quality=82)
        made = Image.open(io.BytesIO(content))
        px = {"width_px": made.width, "height_px": made.height}
        make_derivative(job, size, content=content, state=DerivativeState.CURRENT, **px)
    return Shadow.objects.create(legacy_key=key, owner="key:site", original=original, job=job, state=ShadowState.DUE)
