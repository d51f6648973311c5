"""Comparing what the site made of a picture with what this service made of it."""

import importlib.util
from dataclasses import asdict
from datetime import timedelta
from functools import cache
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import ObjectMissing
from media_jobs.models import Derivative, Job
from media_jobs.pipeline.compare.judge import JUDGE_VERSION, judge
from media_jobs.pipeline.compare.values import CompareRequest, PairRequest, Reason, Verdict
from media_jobs.pipeline.recipes import LEGACY
from media_jobs.pipeline.values import Limits
from media_jobs.ports import Heartbeat
from media_jobs.services.cutover import legacy
from media_jobs.services.cutover.holding import Hold
from media_jobs.services.jobs.worker import render_limit_s
from media_jobs.services.originals import largest_bytes
from media_jobs.states import DerivativeState, JobState, Lane, ShadowState

log = structlog.get_logger(__name__)

#: While the site may still be writing, its files are looked for after so long, twice that, and so on.
_LOOK_AGAIN_S = 15.0


@cache
def is_possible() -> bool:
    """Whether what measures pictures is installed: the optional extra `shadow`."""
    return importlib.util.find_spec("skimage") is not None


def compare(hold: Hold, folder: Path) -> None:
    """Compare a shadow whose job is over, and write the verdict; later, where the site may still be writing.

    Raises MediaError where that cannot be done: LeaseLost and WorkerStopping among them.
    """
    shadow = hold.shadow
    job = Job.objects.select_related("original").filter(shadow=shadow.pk).first()
    if job is None or job.original.deleted_at:
        hold.end(ShadowState.FAILED, code="image_deleted", detail="Its picture was deleted.")
    elif job.state == JobState.CANCELLED:
        hold.end(ShadowState.FAILED, code="cancelled", detail="Its job was cancelled.")
    elif job.state == JobState.FAILED:
        give_up(hold, job.detail)
    elif job.state != JobState.DONE:  # queued again: `holding.note_ends` sees its end
        hold.end(ShadowState.RENDERING)
    else:
        _compare_files(hold, job, folder)


def give_up(hold: Hold, why: str) -> None:
    """Judge what this service could make nothing of: it is worse where the site could. why: for a person."""
    if any(legacy.exists(legacy.size_key(hold.shadow.legacy_key, size)) for size in legacy.SIZES):
        _end(hold, Verdict.WORSE, Reason.OURS_MISSING, why)
    elif not _waits(hold):
        _end(hold, Verdict.MISSING, Reason.LEGACY_MISSING, f"The site made nothing of it, and neither did we: {why}")


def miss(hold: Hold) -> None:
    """Judge what the site has no file of; later, as long as it may still be writing."""
    if not _waits(hold):
        _end(hold, Verdict.MISSING, Reason.LEGACY_MISSING, "The site has no file of this name.")


def _compare_files(hold: Hold, job: Job, folder: Path) -> None:
    theirs = {size: _fetch_theirs(hold, size, folder) for size in legacy.SIZES}
    if not all(theirs.values()) and _waits(hold):
        return
    if not any(theirs.values()):
        _end(hold, Verdict.MISSING, Reason.LEGACY_MISSING, "The site has made no picture of it.")
        return
    original = folder / "original"
    store(Role.WORKER).fetch(job.original.key, original, heartbeat=hold)
    made = Derivative.objects.filter(
        original=job.original_id, preset_name=LEGACY.name, state=DerivativeState.CURRENT, rendition__in=legacy.SIZES
    )
    ours = {derivative.rendition: _fetch_ours(derivative, folder, hold) for derivative in made}
    heavy = job.lane == Lane.HEAVY
    with hold.worker.render_slot(heavy=heavy, heartbeat=hold) as slot:
        limits = Limits(
            bytes=largest_bytes(),
            pixels=settings.MAX_PIXELS,
            memory_bytes=slot.memory_bytes,
            raw_preview_px=settings.RAW_MIN_PREVIEW_PX,
        )
        pairs = tuple(
            PairRequest(size, width_px, theirs[size], ours.get(size)) for size, width_px in legacy.SIZES.items()
        )
        measures = slot.sandbox.compare(
            CompareRequest(str(original), pairs, limits), timeout_s=render_limit_s(heavy=heavy), heartbeat=hold
        )
    judged = judge(measures)
    engine = next((derivative.engine for derivative in made), "")
    _end(
        hold,
        judged.verdict,
        judged.reason,
        judged.sentence,
        measures=measures.to_json(),
        sizes=[asdict(size) for size in judged.sizes],
        engine=engine,
    )


def _end(hold: Hold, verdict: Verdict, reason: Reason, sentence: str, **found: object) -> None:
    nothing: dict[str, object] = {"measures": None, "sizes": [], "engine": ""}
    told = {"verdict": verdict, "reason": reason, "sentence": sentence, "judge": str(JUDGE_VERSION)}
    hold.end(ShadowState.COMPARED, compared_at=Now(), **{**nothing, **told, **found})
    log.info("shadow_compared", shadow=str(hold.shadow.pk), verdict=verdict.value, reason=reason.value)


def _waits(hold: Hold) -> bool:
    """Whether the site may still be writing its files: then the shadow is looked at again."""
    over_at = hold.shadow.created_at + timedelta(seconds=settings.SHADOW_GRACE_S)
    left_s = (over_at - timezone.now()).total_seconds()
    if left_s <= 0:
        return False
    hold.later(after_s=min(_LOOK_AGAIN_S * 2 ** min(hold.shadow.attempts, 20), left_s + 1))
    return True


def _fetch_theirs(hold: Hold, size: str, folder: Path) -> str | None:
    file = folder / f"theirs-{size}"
    key = legacy.size_key(hold.shadow.legacy_key, size)
    return str(file) if legacy.fetch(key, file, heartbeat=hold, most_bytes=largest_bytes()) else None


def _fetch_ours(derivative: Derivative, folder: Path, heartbeat: Heartbeat) -> str | None:
    file = folder / f"ours-{derivative.rendition}"
    try:
        store(Role.WORKER).fetch(derivative.key, file, heartbeat=heartbeat)
    except ObjectMissing:
        return None
    return str(file)
