"""The work, in two ways: a copy for each size, as most people write it, and one picture that shrinks in place."""

from pathlib import Path

from django.conf import settings
from django_rq import job
from PIL import Image, ImageOps

from bench.peers.plain_django.models import Picture

_SIDES_PX = {"full": 2048, "medium": 1024, "small": 512}
_THUMB_PX = (200, 200)
_FILTER = Image.Resampling.LANCZOS
_QUALITY = 82


@job("default")
def make_sizes(picture_id: int) -> None:
    picture = Picture.objects.get(pk=picture_id)
    with Image.open(picture.original.path) as image:
        if settings.SHRINKS_IN_PLACE:
            image.draft("RGB", (_SIDES_PX["full"],) * 2)
        ImageOps.exif_transpose(image, in_place=True)
        for name, side_px in _SIDES_PX.items():
            resized = image if settings.SHRINKS_IN_PLACE else image.copy()
            resized.thumbnail((side_px, side_px), _FILTER)
            resized.save(_path(picture, name), "JPEG", quality=_QUALITY)
        ImageOps.fit(image, _THUMB_PX, _FILTER).save(_path(picture, "thumb"), "JPEG", quality=_QUALITY)
    Picture.objects.filter(pk=picture_id).update(is_done=True)


def _path(picture: Picture, name: str) -> Path:
    folder = Path(settings.MEDIA_ROOT) / name
    folder.mkdir(exist_ok=True)
    return folder / f"{picture.pk}.jpg"
