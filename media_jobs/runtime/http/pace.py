"""How long clients may take over a request and its answer."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Pace:
    """So many seconds, and one more for each `least_bytes_s` bytes that went over the line."""

    grace_s: float
    least_bytes_s: float

    def allowed_s(self, moved_bytes: int) -> float:
        return self.grace_s + moved_bytes / self.least_bytes_s


@dataclass(frozen=True, slots=True)
class Limits:
    """head_s: for the whole head, from its first byte. silent_s: for a connection on which no request has begun.

    pace: of bodies and of answers, each for itself.
    """

    head_s: float
    silent_s: float
    pace: Pace


def configured() -> Limits:
    """The limits of the settings."""
    pace = Pace(settings.TRANSFER_TIMEOUT_S, settings.MIN_TRANSFER_BYTES_S)
    return Limits(settings.HEAD_TIMEOUT_S, settings.KEEP_ALIVE_S, pace)
