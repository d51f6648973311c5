"""Shadows that were compared, for tests of the workbench: measures as the decoder gives them, judged as ever."""

from dataclasses import asdict, replace
from typing import Any

from django.utils import timezone

from media_jobs.models import Shadow
from media_jobs.pipeline.compare.judge import judge
from media_jobs.pipeline.compare.values import Look, Measures, Pair
from media_jobs.states import ShadowState
from tests.factories import make_derivative, make_job, make_original

WIDTHS = {"small": 300, "medium": 800, "large": 1200, "xlarge": 2000}
#: What ours is like, by a word for it.
FLAWS: dict[str, dict[str, Any]] = {
    "fine": {},
    "turned": {"turned": 6},
    "dull": {"vividness": 0.8, "delta_e": 3.1},
    "blurred": {"ssim": 0.9},
}


def measures(flaw: str = "fine", *, position: bool = False, size: str = "xlarge") -> Measures:
    """Of four sizes, one of which is flawed in ours. position: theirs tells it, too."""
    pairs = []
    for name, width in WIDTHS.items():
        fine = Look(width, width * 3 // 4, "jpeg", width * 100, ssim=0.996, noise=0.002, detail=1.0, delta_e=0.4)
        ours = replace(fine, **FLAWS[flaw]) if name == size else fine
        theirs = replace(fine, size_bytes=width * 700, position=position, carries=("EXIF GPSLatitude",) * position)
        pairs.append(Pair(name, width, theirs, ours))
    return Measures(4000, 3000, 1, tuple(pairs))


def make_shadow(
    name: str = "oak", flaw: str = "fine", *, position: bool = False, kept: bool = True, **fields: Any
) -> Shadow:
    """One that was compared; of ours there is a file of each size, if they are still kept."""
    original = job = None
    if kept:
        original = make_original(name.encode(), filename=f"{name}.jpg", stored=False)
        job = make_job(original, preset="gallformers-legacy", state="done")
        for size, width in WIDTHS.items():
            make_derivative(job, size, state="current", width_px=width, height_px=width * 3 // 4)
    found = measures(flaw, position=position)
    judged = judge(found)
    compared = {
        "state": ShadowState.COMPARED,
        "compared_at": timezone.now(),
        "verdict": judged.verdict,
        "reason": judged.reason,
        "sentence": judged.sentence,
        "measures": found.to_json(),
        "sizes": [asdict(size) for size in judged.sizes],
    }
    key = f"gall/{name}/{name}_1_original.jpg"
    return Shadow.objects.create(
        **{"legacy_key": key, "owner": "key:site", "original": original, "job": job, **compared, **fields}
    )
