"""What measures come to, for values that a person can follow."""

from dataclasses import replace
from typing import Any

import pytest

from media_jobs.pipeline.compare.judge import judge, judge_pair
from media_jobs.pipeline.compare.values import Look, Measures, Pair, Reason, Verdict

FINE = Look(800, 600, "jpeg", size_bytes=50_000, ssim=0.995, noise=0.003, detail=1.0, delta_e=0.4, part_delta_e=0.8)
THEIRS = replace(FINE, size_bytes=300_000, ssim=0.999, noise=0.0)
TURNED: dict[str, Any] = {"turned": 6, "width_px": 600, "height_px": 800}
SHARP, BLURRED = replace(FINE, ssim=0.99), replace(FINE, ssim=0.9)


def pair(legacy: Look | None = THEIRS, ours: Look | None = FINE, *, name: str = "medium", delta_e: float = 0.5) -> Pair:
    return Pair(name, 800, legacy, ours, delta_e)


def judged(*pairs: Pair) -> tuple[Verdict, Reason]:
    judgement = judge(Measures(4000, 3000, 1, pairs))
    return judgement.verdict, judgement.reason


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (TURNED, Reason.TURNED),
        ({"width_px": 400, "height_px": 300}, Reason.SIZE),
        ({"height_px": 800}, Reason.SIZE),
        ({"ssim": 0.3}, Reason.CROPPED),
        ({"ssim": 0.8, "detail": 0.1}, Reason.CROPPED),
        ({"ssim": 0.8, "part_delta_e": 30.0}, Reason.DAMAGED),
        ({"delta_e": 3.0, "part_delta_e": 5.0}, Reason.COLOUR),
        ({"vividness": 0.85}, Reason.COLOUR),
        ({"position": True}, Reason.METADATA),
        ({"moved_px": (-0.5, 0.0)}, Reason.MOVED),
        ({"ssim": 0.9}, Reason.BLURRED),
        ({"detail": 0.2}, Reason.BLURRED),
        ({"refused": "truncated"}, Reason.OURS_UNREADABLE),
    ],
)
def test_a_flaw_is_worse_in_ours_and_better_in_theirs(flaw, reason):
    flawed = replace(FINE, **flaw)
    assert judged(pair(ours=flawed)) == (Verdict.WORSE, reason)
    mirrored = {Reason.BLURRED: Reason.SHARPER, Reason.OURS_UNREADABLE: Reason.LEGACY_UNREADABLE}
    assert judged(pair(legacy=flawed)) == (Verdict.BETTER, mirrored.get(reason, reason))
    told = judge_pair(pair(ours=flawed), Measures(4000, 3000, 1, ()))
    assert told.sentence
    assert "{" not in told.sentence


def test_as_near_with_fewer_bytes_is_better_and_with_as_many_the_same():
    assert judged(pair()) == (Verdict.BETTER, Reason.SMALLER)
    assert judged(pair(legacy=replace(THEIRS, size_bytes=50_000))) == (Verdict.SAME, Reason.ALIKE)
    assert judged(pair(legacy=replace(THEIRS, size_bytes=1))) == (Verdict.SAME, Reason.ALIKE)


def test_what_an_encoder_rounds_is_no_loss():
    """One with noise that its tables explain is as near as one without."""
    noisy = replace(FINE, ssim=0.93, noise=0.06)
    assert judged(pair(ours=noisy)) == (Verdict.BETTER, Reason.SMALLER)
    assert judged(pair(ours=replace(noisy, noise=0.0))) == (Verdict.WORSE, Reason.BLURRED)


def test_a_picture_that_is_not_enlarged_is_no_smaller_than_it_could_be():
    small = Measures(500, 375, 1, ())
    ours, upscaled = replace(FINE, width_px=500, height_px=375), replace(BLURRED, size_bytes=300_000)
    assert judge_pair(pair(legacy=upscaled, ours=ours), small).reason is Reason.SHARPER
    assert (
        judge_pair(pair(legacy=upscaled, ours=replace(ours, width_px=300, height_px=225)), small).reason is Reason.SIZE
    )


def test_better_in_one_way_and_worse_in_another_is_for_a_person():
    assert judged(pair(legacy=replace(THEIRS, position=True), ours=BLURRED)) == (Verdict.DIFFERENT, Reason.MIXED)
    assert judged(pair(legacy=replace(THEIRS, **TURNED), ours=BLURRED)) == (Verdict.BETTER, Reason.TURNED)


def test_what_both_have_is_no_difference_unless_they_have_it_differently():
    odd: dict[str, Any] = {"delta_e": 4.0, "part_delta_e": 8.0}
    both: dict[str, Any] = {"legacy": replace(THEIRS, **odd), "ours": replace(FINE, **odd)}
    assert judged(pair(**both)) == (Verdict.BETTER, Reason.SMALLER)
    assert judged(pair(**both, delta_e=9.0)) == (Verdict.DIFFERENT, Reason.COLOUR)


@pytest.mark.parametrize(
    ("theirs", "ours", "delta_e"),
    [
        (TURNED, {**TURNED, "turned": 8}, 0.5),
        ({"width_px": 790, "height_px": 592}, {"width_px": 40, "height_px": 30}, 0.5),
        ({"moved_px": (-0.5, 0.0)}, {"moved_px": (0.5, 0.0)}, 0.5),
        ({"ssim": 0.2}, {"ssim": 0.2}, 40.0),
        ({"vividness": 0.9}, {"vividness": 1.3}, 0.5),
    ],
)
def test_two_wrongs_of_different_kinds_are_for_a_person(theirs, ours, delta_e):
    judgement = judged(pair(replace(THEIRS, **theirs), replace(FINE, **ours), delta_e=delta_e))
    assert judgement[0] == Verdict.DIFFERENT


@pytest.mark.parametrize("flaw", [{"delta_e": 20.0, "part_delta_e": 40.0}, {"vividness": 0.2}, {"position": True}])
def test_that_theirs_lies_on_its_side_excuses_no_colours_and_no_position(flaw):
    assert judged(pair(replace(THEIRS, **TURNED), replace(FINE, **flaw))) == (Verdict.DIFFERENT, Reason.MIXED)


def test_what_is_missing_is_said_and_ours_must_be_there():
    assert judged(pair(legacy=None)) == (Verdict.MISSING, Reason.LEGACY_MISSING)
    assert judged(pair(ours=None)) == (Verdict.WORSE, Reason.OURS_MISSING)
    assert judged(pair(legacy=None, ours=None)) == (Verdict.WORSE, Reason.OURS_MISSING)
    assert judged() == (Verdict.MISSING, Reason.LEGACY_MISSING)


def test_the_worst_size_decides_for_the_picture():
    moved = pair(ours=replace(FINE, moved_px=(0.0, 2.0)), name="large")
    turned = pair(ours=replace(FINE, **TURNED), name="small")
    missing = pair(legacy=None, name="xlarge")
    assert judged(pair(), missing) == (Verdict.MISSING, Reason.LEGACY_MISSING)
    judgement = judge(Measures(4000, 3000, 1, (pair(), moved, missing, turned)))
    assert (judgement.verdict, judgement.reason) == (Verdict.WORSE, Reason.TURNED)
    assert judgement.sentence == "small: Ours does not stand upright; the other does."
    assert [size.verdict for size in judgement.sizes] == ["better", "worse", "missing", "worse"]


def test_measures_survive_their_way_through_json():
    measures = Measures(4000, 3000, 6, (pair(), pair(legacy=None), pair(ours=replace(FINE, carries=("ICC profile",)))))
    assert Measures.from_json(measures.to_json()) == measures
