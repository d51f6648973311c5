"""What a verdict says to a person: what is so with ours, or with theirs, in one sentence."""

from media_jobs.pipeline.compare.values import Look, Pair, Reason, Verdict

#: What is so with one of the two, by reason; `{it}` is that one, at the start of a sentence.
_IT = {
    Reason.TURNED: "{it} does not stand upright; the other does.",
    Reason.SIZE: "{it} has too few pixels or other proportions: {size}, the other {other_size}.",
    Reason.CROPPED: "{it} shows another part, or another picture.",
    Reason.DAMAGED: "In {it_within} a part is not the picture: its colours are ΔE {part} away.",
    Reason.COLOUR: "{it} has other colours: {vivid} as vivid as the original, ΔE {delta_e} away, at worst {part}.",
    Reason.METADATA: "{it} tells where the picture was taken.",
    Reason.MOVED: "{it} lies {moved} of a pixel beside its place.",
    Reason.LEGACY_UNREADABLE: "{it} cannot be read ({refused}).",
    Reason.OURS_UNREADABLE: "{it} cannot be read ({refused}).",
}
_PLAIN = {
    Reason.ALIKE: "Both are as near to the original.",
    Reason.LEGACY_MISSING: "The site has no such file to compare with.",
    Reason.OURS_MISSING: "There is no such file of ours.",
    Reason.MIXED: "Ours is better in one way, and worse in another.",
}
#: What is so with both.
_OF_BOTH = {
    Reason.SMALLER: "As near to the original with {share} of the bytes.",
    Reason.SHARPER: "Ours is nearer to the original: {ours}; theirs {theirs}.",
    Reason.BLURRED: "Ours is less near to the original: {ours}; theirs {theirs}.",
}


def of(reason: Reason, verdict: Verdict = Verdict.MISSING, pair: Pair | None = None) -> str:
    """The sentence for a verdict and its reason. Where ours is worse it tells of ours, else of theirs."""
    if reason in _PLAIN:
        return _PLAIN[reason]
    ours, legacy = (pair.ours or Look(), pair.legacy or Look()) if pair else (Look(), Look())
    if reason in _OF_BOTH:
        return _OF_BOTH[reason].format(
            share=f"{ours.size_bytes / max(1, legacy.size_bytes):.0%}", ours=_nearness(ours), theirs=_nearness(legacy)
        )
    if verdict is Verdict.DIFFERENT and pair:
        return f"Both are far from the original, and not in the same way: ΔE {pair.delta_e:.1f} between them."
    it, other = (ours, legacy) if verdict is Verdict.WORSE else (legacy, ours)
    return _IT[reason].format(
        it="Ours" if it is ours else "Theirs",
        it_within="ours" if it is ours else "theirs",
        size=f"{it.width_px} × {it.height_px}",
        other_size=f"{other.width_px} × {other.height_px}",
        part=f"{it.part_delta_e:.1f}",
        vivid=f"{it.vividness:.0%}",
        delta_e=f"{it.delta_e:.1f}",
        moved=f"{max(map(abs, it.moved_px)):.1f}",
        refused=it.refused.replace("_", " "),
    )


def _nearness(look: Look) -> str:
    return f"SSIM {look.ssim:.3f} with {min(look.detail, 1):.0%} of the fine detail"
