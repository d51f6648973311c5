"""Verdicts, reasons and measures as a person reads them."""

from collections.abc import Iterator
from math import hypot
from typing import Any

from media_jobs.admin import cells
from media_jobs.pipeline.compare.judge import MOST_DULL, MOST_MOVED_PX
from media_jobs.pipeline.compare.values import Look, Measures, Pair, Reason, Verdict

VERDICTS: dict[str, str] = {
    Verdict.WORSE: "Worse",
    Verdict.DIFFERENT: "Different",
    Verdict.MISSING: "Missing at the site",
    Verdict.SAME: "The same",
    Verdict.BETTER: "Better",
}
#: What a person may say: of ours, against theirs.
MAY_SAY = {Verdict.SAME: "The same", Verdict.BETTER: "Ours is better", Verdict.WORSE: "Ours is worse"}
REASONS: dict[str, str] = {
    Reason.ALIKE: "as near to the original",
    Reason.SMALLER: "fewer bytes",
    Reason.SHARPER: "sharper",
    Reason.BLURRED: "less sharp",
    Reason.TURNED: "not upright",
    Reason.SIZE: "size or proportions",
    Reason.CROPPED: "another part",
    Reason.MOVED: "moved a little",
    Reason.COLOUR: "other colours",
    Reason.DAMAGED: "a part is damaged",
    Reason.METADATA: "position",
    Reason.MIXED: "better and worse",
    Reason.LEGACY_MISSING: "not at the site",
    Reason.OURS_MISSING: "ours is not there",
    Reason.LEGACY_UNREADABLE: "theirs is unreadable",
    Reason.OURS_UNREADABLE: "ours is unreadable",
}
_FAULTS = {Reason.TURNED, Reason.SIZE, Reason.CROPPED, Reason.MOVED, Reason.COLOUR, Reason.DAMAGED, Reason.METADATA}
_LIES = {
    2: "mirrored",
    3: "on its head",
    4: "on its head and mirrored",
    5: "on its side and mirrored",
    6: "on its side, a quarter turn to the left",
    7: "on its side and mirrored",
    8: "on its side, a quarter turn to the right",
}


def reason(verdict: str, why: str) -> str:
    """Say why, and of whom, where ours is better for a fault that theirs has."""
    said = REASONS.get(why, why)
    return f"theirs: {said}" if verdict == Verdict.BETTER and why in _FAULTS else said


def sizes(measures: dict[str, Any] | None, judged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each size: its verdict, and of both files what can be said, the largest size first."""
    if not measures:
        return []
    told = {one["name"]: one for one in judged}
    pairs = Measures.from_json(measures).pairs
    return [_size(pair, told.get(pair.name, {})) for pair in sorted(pairs, key=lambda pair: -pair.wanted_px)]


def _size(pair: Pair, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": pair.name,
        "wanted_px": pair.wanted_px,
        "verdict": told.get("verdict", ""),
        "says": VERDICTS.get(told.get("verdict", ""), ""),
        "sentence": told.get("sentence", ""),
        "sides": [
            {"title": title, "look": look, "facts": list(_facts(look)), "numbers": _numbers(look)}
            for title, look in (("Theirs", pair.legacy), ("Ours", pair.ours))
        ],
    }


def _facts(look: Look | None) -> Iterator[str]:
    if look is None:
        yield "There is no file."
        return
    if look.refused:
        yield f"It cannot be read: {look.refused.replace('_', ' ')}. It has {cells.size(look.size_bytes)}."
        return
    yield f"{cells.dimensions(look.width_px, look.height_px)}, {cells.size(look.size_bytes)}, {look.format.upper()}"
    if look.turned != 1:
        yield f"Lies {_LIES[look.turned]}"
    yield f"{min(look.detail, 1):.0%} of the original's fine detail"
    if hypot(*look.moved_px) > MOST_MOVED_PX:
        yield f"Lies {hypot(*look.moved_px):.1f} pixels beside its place"
    if abs(1 - look.vividness) > MOST_DULL:
        yield f"Colours {look.vividness:.0%} as vivid"
    if look.position:
        yield "Tells where the picture was taken"
    if look.carries:
        yield f"Carries {', '.join(look.carries[:4])}{' and more' if len(look.carries) > 4 else ''}"


def _numbers(look: Look | None) -> str:
    if look is None or look.refused:
        return ""
    return f"SSIM {look.ssim:.4f}, noise {look.noise:.4f}, ΔE {look.delta_e:.2f}, at worst {look.part_delta_e:.2f}"
