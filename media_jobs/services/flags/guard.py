"""What the comparison with the live site says to a flag: whether it may be raised, and whether it must fall back."""

from dataclasses import dataclass

from media_jobs.library import scoreboard
from media_jobs.library.scoreboard import Scoreboard
from media_jobs.models import FeatureFlag

#: So far back the comparison counts.
DAYS = 7


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the guard says now. why: for people, with the numbers."""

    board: Scoreboard
    may_raise: bool
    why: str

    @property
    def must_fall_back(self) -> bool:
        return self.board.over


def opinion() -> Opinion:
    board = scoreboard.read(DAYS)
    return Opinion(board, may_raise=not (board.over or board.thin), why=_in_words(board))


def exposed(flag: FeatureFlag) -> int:
    """For how many of 10,000 keys it is on, but for those that are listed."""
    return flag.basis_points if flag.enabled else 0


def needs_opinion(before: FeatureFlag, after: FeatureFlag) -> bool:
    """Whether a guarded flag is to be on for more keys, or guarded no more; keys on a list do not count."""
    return before.guarded and (exposed(after) > exposed(before) or not after.guarded)


def _in_words(board: Scoreboard) -> str:
    limit = f"{board.limit:.2%}".replace("%", " %")
    counted = f"{board.errors:,} of {board.judged:,} pictures of the last {DAYS} days were worse"
    if board.over:
        return f"{counted}: {board.rate:.2%}".replace("%", " %") + f", over the limit of {limit}."
    if board.thin:
        return (
            f"{counted}, which is too few pictures to say that it is less than {limit}: "
            f"{board.needed:,} more without an error would do."
        )
    return f"{counted}: less than {limit}, with 95 % confidence."
