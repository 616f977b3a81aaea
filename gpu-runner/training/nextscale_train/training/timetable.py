"""When what is done is kept, for work that takes longer than anyone wants to do twice."""

import time

FIRST_S = 60
AT_LEAST_EVERY_S = 600


class Timetable:
    """A minute after the start, and from then on every ten minutes after the last time."""

    def __init__(self) -> None:
        self._due = time.monotonic() + FIRST_S

    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def note_kept(self) -> None:
        self._due = time.monotonic() + AT_LEAST_EVERY_S

    def note_failed(self) -> None:
        """The next try is in a minute."""
        self._due = time.monotonic() + FIRST_S
