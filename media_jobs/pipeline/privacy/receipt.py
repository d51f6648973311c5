"""The privacy receipt: what was found in a picture besides its pixels, and what became of it."""

from media_jobs.pipeline.privacy import facts
from media_jobs.pipeline.privacy.facts import Told
from media_jobs.pipeline.values import Keep, Receipt


def receipt(told: Told, keep: Keep, outputs: dict[str, tuple[str, ...]]) -> Receipt:
    """Names only, never values. `outputs`: what the scan of each finished file found."""
    kept = facts.kept(told, keep)
    return Receipt(
        found=told.names,
        kept=tuple(name for name in told.names if name in kept),
        dropped=tuple(name for name in told.names if name not in kept),
        outputs=outputs,
    )
