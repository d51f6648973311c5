"""The percentage of a flag: basis points in the database, a number with at most two decimals for everybody else."""

from decimal import Decimal

from media_jobs.errors import BadRequest
from media_jobs.models.cutover.flag import EVERYBODY

_ONE_PERCENT = EVERYBODY // 100


def percent(basis_points: int) -> int | float:
    """Return it as it is told: 5 for 500, 1.25 for 125."""
    return basis_points // _ONE_PERCENT if basis_points % _ONE_PERCENT == 0 else basis_points / _ONE_PERCENT


def parse(text: str) -> int:
    """Return the basis points of a text such as `1.25`, with or without a percent sign. Raises BadRequest."""
    try:
        points = Decimal(text.strip().removesuffix("%").strip()) * _ONE_PERCENT
        if 0 <= points <= EVERYBODY and points == int(points):
            return int(points)
    except ArithmeticError:  # decimal's errors, all of them
        pass
    raise BadRequest("A percentage is a number from 0 to 100 with at most two decimals, such as 5 or 1.25.")
