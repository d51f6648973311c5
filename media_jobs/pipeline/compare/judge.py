"""What measures mean: is ours as good as theirs, better, worse, or merely different? Loads no image library.

Both pictures are judged against a reference that was made from the original. A flaw is a distance from it that no
honest encoder or filter makes; what one of the two has and the other has not decides. docs/decisions/052 has the
measured pairs behind the limits, and how to measure them again.
"""

from math import hypot

from media_jobs.pipeline.compare import sentences
from media_jobs.pipeline.compare.values import Judgement, Look, Measures, Pair, Reason, SizeJudgement, Verdict

#: Verdicts of one version can be compared. It changes with the limits below, and with what is measured.
JUDGE_VERSION = 2

#: SSIM that is lost to no noise: so much more, and it is blurred.
MOST_LOST = 0.06
#: … and so much, and it shows another part, or another picture.
ANOTHER_PICTURE = 0.6
#: … and so much, where a part has quite other colours, and that part is something else.
DAMAGE, ANOTHER_THING_DELTA_E = 0.05, 25.0
#: … and so much, where fine detail does not lie where it should: it shows a little more or less.
ANOTHER_PART, NO_DETAIL = 0.1, 0.2
#: Share of the reference's fine detail: so much less than the other has.
LESS_DETAIL = 0.5
#: ΔE2000: on average, and in the worst part.
MOST_DELTA_E, MOST_PART_DELTA_E = 2.0, 6.0
#: So much duller or more vivid than the reference.
MOST_DULL = 0.07
#: In pixels of the picture itself.
MOST_MOVED_PX = 0.3
#: Proportions are rounded to whole pixels, twice: once for the size from which a size was made.
_ROUNDED_PX = 1.0
#: Ours must be so much smaller to be called so.
SMALLER = 0.9

_GROSS = frozenset({Reason.TURNED, Reason.SIZE, Reason.CROPPED, Reason.DAMAGED})
#: What may be wrong with ours where theirs is another picture altogether.
_SLIGHT = frozenset({Reason.MOVED, Reason.BLURRED})
#: What is said first, where there is more than one.
_WEIGHT = (
    Reason.TURNED,
    Reason.SIZE,
    Reason.CROPPED,
    Reason.DAMAGED,
    Reason.COLOUR,
    Reason.METADATA,
    Reason.MOVED,
    Reason.BLURRED,
    Reason.SHARPER,
)
#: The worst first: it decides for all sizes.
_VERDICTS = (Verdict.WORSE, Verdict.DIFFERENT, Verdict.MISSING, Verdict.BETTER, Verdict.SAME)


def judge(measures: Measures) -> Judgement:
    """The verdict on each size, and on all of them together."""
    sizes = tuple(judge_pair(pair, measures) for pair in measures.pairs)
    if not sizes:
        return Judgement(Verdict.MISSING, Reason.LEGACY_MISSING, sentences.of(Reason.LEGACY_MISSING), ())
    decisive = min(sizes, key=_rank)
    return Judgement(decisive.verdict, decisive.reason, f"{decisive.name}: {decisive.sentence}", sizes)


def judge_pair(pair: Pair, measures: Measures) -> SizeJudgement:
    """The verdict on one size."""
    absent = _absent(pair)
    if absent or pair.ours is None or pair.legacy is None:
        verdict, reason = absent or (Verdict.MISSING, Reason.LEGACY_MISSING)
    else:
        verdict, reason = _compared(pair, pair.legacy, pair.ours, measures)
    return SizeJudgement(pair.name, verdict, reason, sentences.of(reason, verdict, pair))


def _rank(size: SizeJudgement) -> tuple[int, int]:
    weight = _WEIGHT.index(size.reason) if size.reason in _WEIGHT else len(_WEIGHT)
    return _VERDICTS.index(size.verdict), weight


def _absent(pair: Pair) -> tuple[Verdict, Reason] | None:
    """The verdict where there are not two pictures."""
    if pair.ours is None:
        return Verdict.WORSE, Reason.OURS_MISSING
    if pair.ours.refused:
        return Verdict.WORSE, Reason.OURS_UNREADABLE
    if pair.legacy is None:
        return Verdict.MISSING, Reason.LEGACY_MISSING
    if pair.legacy.refused:
        return Verdict.BETTER, Reason.LEGACY_UNREADABLE
    return None


def _compared(pair: Pair, legacy: Look, ours: Look, measures: Measures) -> tuple[Verdict, Reason]:
    theirs, own = flaws(legacy, pair, measures), flaws(ours, pair, measures)
    worse, better = own - theirs, theirs - own
    differently = {reason for reason in own & theirs if not _alike(reason, ours, legacy, pair)}
    if differently and not worse & _GROSS:  # both are far from the original, and not in the same way
        return Verdict.DIFFERENT, _first(differently)
    sharper = _sharper(ours, legacy)
    if sharper:
        (better if sharper > 0 else worse).add(Reason.SHARPER if sharper > 0 else Reason.BLURRED)
    if worse & _GROSS or (worse and not better):
        return Verdict.WORSE, _first(worse)
    if (better & _GROSS and worse <= _SLIGHT) or (better and not worse):
        return Verdict.BETTER, _first(better)
    if worse:
        return Verdict.DIFFERENT, Reason.MIXED
    if ours.size_bytes <= SMALLER * legacy.size_bytes:
        return Verdict.BETTER, Reason.SMALLER
    return Verdict.SAME, Reason.ALIKE


def _alike(reason: Reason, ours: Look, legacy: Look, pair: Pair) -> bool:
    """Whether a flaw that both have is the same one."""
    if reason is Reason.TURNED:
        return ours.turned == legacy.turned
    if reason is Reason.SIZE:
        return all(abs(a - b) <= _ROUNDED_PX for a, b in zip(_shown_px(ours), _shown_px(legacy), strict=True))
    if reason is Reason.MOVED:
        return hypot(*(a - b for a, b in zip(ours.moved_px, legacy.moved_px, strict=True))) <= MOST_MOVED_PX
    if reason is Reason.COLOUR and abs(ours.vividness - legacy.vividness) > MOST_DULL:
        return False
    return reason is Reason.METADATA or pair.delta_e <= MOST_PART_DELTA_E


def flaws(look: Look, pair: Pair, measures: Measures) -> set[Reason]:
    """What is wrong with one picture, whatever the other is like."""
    found = {
        Reason.TURNED: look.turned != 1,
        Reason.SIZE: not _has_proportions(look, measures) or _is_small(look, pair, measures),
        Reason.METADATA: look.position,
    }
    lost = _lost(look)
    if lost > ANOTHER_PICTURE:
        found[Reason.CROPPED] = True
    elif lost > DAMAGE and look.part_delta_e > ANOTHER_THING_DELTA_E:
        found[Reason.DAMAGED] = True
    elif lost > ANOTHER_PART and look.detail < NO_DETAIL:
        found[Reason.CROPPED] = True
    else:
        found |= {
            Reason.COLOUR: _is_off_colour(look),
            Reason.MOVED: hypot(*look.moved_px) > MOST_MOVED_PX,
        }
    return {reason for reason, is_so in found.items() if is_so}


def _is_off_colour(look: Look) -> bool:
    by_far = look.delta_e > MOST_DELTA_E or look.part_delta_e > MOST_PART_DELTA_E
    return by_far or abs(1 - look.vividness) > MOST_DULL


def _lost(look: Look) -> float:
    """How much structure the picture lacks, less what its encoder's noise explains."""
    return max(0.0, 1 - look.ssim - look.noise)


def _sharper(ours: Look, legacy: Look) -> int:
    """1: ours is nearer to the reference, -1: theirs, 0: neither, plainly."""
    structure = _lost(legacy) - _lost(ours)
    if abs(structure) > MOST_LOST:
        return 1 if structure > 0 else -1
    detail = min(ours.detail, 1.0) - min(legacy.detail, 1.0)
    if abs(detail) > LESS_DETAIL:
        return 1 if detail > 0 else -1
    return 0


def _shown_px(look: Look) -> tuple[int, int]:
    """Width and height, were it upright."""
    size_px = (look.width_px, look.height_px)
    return size_px[::-1] if look.turned >= 5 else size_px


def _has_proportions(look: Look, measures: Measures) -> bool:
    """Whether it has those of the original."""
    width, height = _shown_px(look)
    scale = max(1.0, width / measures.width_px)
    return abs(height - width * measures.height_px / measures.width_px) <= _ROUNDED_PX + 2 * scale


def _is_small(look: Look, pair: Pair, measures: Measures) -> bool:
    """Whether it has fewer pixels than it should, and could."""
    return _shown_px(look)[0] < min(pair.wanted_px, measures.width_px) - 1


def _first(reasons: set[Reason]) -> Reason:
    return min(reasons, key=_WEIGHT.index)
