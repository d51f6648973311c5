"""How often a request is tried, and how long is waited in between."""

import random
from dataclasses import dataclass

from gallimg_client.errors import GallimgError


@dataclass(frozen=True, slots=True)
class Retries:
    """attempts: in all. first_s: the wait before the second; it doubles each time, up to longest_s.

    A `Retry-After` is never cut short; one of more than longest_s is not waited for.
    """

    attempts: int = 5
    first_s: float = 0.5
    longest_s: float = 60.0

    def pause_s(self, failed: int, error: GallimgError) -> float | None:
        """Return how long to wait after so many failed attempts, of which the last one ended in `error`; None: enough.

        Half of a pause, and what comes on top of a `Retry-After`, is left to chance, so that many clients do not come
        back at the same moment.
        """
        named_s = error.retry_after_s
        if failed >= self.attempts or not error.passes or (named_s or 0.0) > self.longest_s:
            return None
        if named_s is not None:
            return named_s + random.uniform(0, self.first_s)  # noqa: S311  (to spread load)
        return min(self.longest_s, self.first_s * 2.0 ** (failed - 1)) * random.uniform(0.5, 1)  # noqa: S311  (to spread load)
