"""When a request is sent again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from ._errors import NextscaleError

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 8.0
LONGEST_RETRY_AFTER_SECONDS = 120.0


class Deadline:
    """A moment by which something has to be done; with `None`, never."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds or 0.0
        self._at = None if seconds is None else time.monotonic() + seconds

    def remaining(self, at_most: float) -> float:
        """Seconds that are left, `at_most` so many."""
        return at_most if self._at is None else max(0.0, min(at_most, self._at - time.monotonic()))

    def allows(self, seconds: float) -> bool:
        """Whether so many seconds are left."""
        return self._at is None or time.monotonic() + seconds < self._at

    def passed(self) -> bool:
        return not self.allows(0)


NEVER = Deadline(None)


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential delays with jitter. A `Retry-After` is kept to exactly; one of minutes is left to the caller."""

    max_retries: int

    def delay(self, failures: int, error: NextscaleError, deadline: Deadline = NEVER) -> float | None:
        """Seconds until the next attempt after so many failures, this one not counted; `None` to give up."""
        if failures >= self.max_retries or not error.retryable:
            return None
        delay = error.retry_after
        if delay is None:
            delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**failures) * random.uniform(0.5, 1)
        elif delay > LONGEST_RETRY_AFTER_SECONDS:
            return None
        return delay if deadline.allows(delay) else None
