"""The privacy receipt: what was found in a picture besides its pixels, and what became of it."""

from media_jobs.pipeline.privacy.facts import Told
from media_jobs.pipeline.values import Keep, Receipt


def receipt(told: Told, keep: Keep, outputs: dict[str, tuple[str, ...]]) -> Receipt:
    return Receipt(found=told.names, kept=(), dropped=told.names, outputs=outputs)
