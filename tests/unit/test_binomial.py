"""Bounds of a share that was counted."""

import pytest

from media_jobs.library.binomial import enough, lower_bound, upper_bound


def test_without_an_error_it_takes_598_to_be_sure_of_less_than_half_a_percent():
    assert upper_bound(0, 597) > 0.005 > upper_bound(0, 598)
    assert enough(0, 0.005) == 598


@pytest.mark.parametrize(
    ("hits", "among", "low", "high"),
    [  # of scipy.stats.beta.ppf
        (0, 1, 0.0, 0.95),
        (1, 1, 0.05, 1.0),
        (1, 10, 0.005116196891823701, 0.39416330243650466),
        (3, 163, 0.005034837785413258, 0.04687878648211802),
        (50, 10_000, 0.0038984315821302675, 0.006324499770793831),
        (5_000, 1_000_000, 0.00488454313555296, 0.0051175840516408605),
        (500_000, 1_000_000, 0.4991770739494771, 0.5008229260505229),
        (0, 0, 0.0, 1.0),
    ],
)
def test_bounds_are_those_of_clopper_and_pearson(hits, among, low, high):
    assert lower_bound(hits, among) == pytest.approx(low, rel=1e-9)
    assert upper_bound(hits, among) == pytest.approx(high, rel=1e-9)


@pytest.mark.parametrize("errors", [0, 1, 7, 300])
def test_one_less_than_enough_is_not_enough(errors):
    among = enough(errors, 0.005)
    assert upper_bound(errors, among - 1) >= 0.005 > upper_bound(errors, among)
