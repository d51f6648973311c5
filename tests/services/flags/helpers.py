"""What the comparison with the live site has found, for tests of the guard."""

from django.utils import timezone

from media_jobs.models import FeatureFlag, Shadow
from media_jobs.pipeline.compare.values import Verdict
from media_jobs.states import ShadowState

NAME = "image-service"


def judged(good: int, *, bad: int = 0) -> None:
    """Let this be all that was judged in the last days."""
    Shadow.objects.all().delete()
    Shadow.objects.bulk_create(
        Shadow(
            legacy_key=f"gall/1/1_{number}_original.jpg",
            owner="key:site",
            state=ShadowState.COMPARED,
            compared_at=timezone.now(),
            verdict=Verdict.WORSE if number < bad else Verdict.SAME,
        )
        for number in range(good + bad)
    )


def few_errors() -> None:
    judged(700)


def too_many_errors() -> None:
    judged(200, bad=9)


def flag(**fields: object) -> FeatureFlag:
    """The shipped flag with these fields, as nobody has changed it yet."""
    FeatureFlag.objects.filter(pk=NAME).update(**fields)
    return FeatureFlag.objects.get(pk=NAME)
