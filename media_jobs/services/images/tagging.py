"""Tags of images."""

from collections.abc import Iterable

from media_jobs.models import Original, Tag


def add(original: Original, names: Iterable[str]) -> None:
    """Put tags to an image that has none of them. Needs a transaction."""
    if tags := [Tag(original=original, name=name) for name in names]:
        Tag.objects.bulk_create(tags)


def replace(original: Original, names: Iterable[str]) -> None:
    """Make these the tags of an image. Needs a transaction, and the lock on the original."""
    wanted = set(names)
    had = set(Tag.objects.filter(original=original).values_list("name", flat=True))
    Tag.objects.filter(original=original, name__in=had - wanted).delete()
    add(original, sorted(wanted - had))
