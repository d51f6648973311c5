"""How far a share may be from what was counted: exact bounds of a binomial proportion (Clopper and Pearson, 1934)."""

import math

#: What a bound is wrong in: one case in twenty, for each side.
ALPHA = 0.05
_BISECTIONS = 60
_TINY = 1e-300


def upper_bound(hits: int, among: int) -> float:
    """The share that is not exceeded, with 95 % confidence, where `hits` were counted among so many."""
    if hits >= among:
        return 1.0
    return _beta_quantile(1 - ALPHA, hits + 1, among - hits)


def lower_bound(hits: int, among: int) -> float:
    """The share that is exceeded, with 95 % confidence, where `hits` were counted among so many."""
    if hits == 0:
        return 0.0
    return _beta_quantile(ALPHA, hits, among - hits + 1)


def enough(hits: int, share: float) -> int:
    """The least number among which so many hits have an upper bound below `share`."""
    low, high = hits, max(8, 2 * hits)
    while upper_bound(hits, high) >= share:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if upper_bound(hits, middle) >= share else (low, middle)
    return high


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Where the distribution function of a beta distribution reaches `probability`."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _beta_distribution(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return high


def _beta_distribution(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function (DLMF 8.17), by the continued fraction that converges quickly there."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(x, a, b) / a
    return 1 - front * _continued_fraction(1 - x, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    """DLMF 8.17.22, by Lentz's method: its terms grow about with the square root of a and b."""
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    value, m = d, 0
    while True:
        m += 1
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 + term * d, 1 + term / c
            d, c = 1 / (d if abs(d) > _TINY else _TINY), c if abs(c) > _TINY else _TINY
            value *= d * c
        if abs(d * c - 1) < 1e-12:
            return value
