"""What people read on the terminal, whatever that is."""

import os
import sys
import time
from contextlib import suppress
from unicodedata import category

from tqdm import tqdm

UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Categories of Unicode."""
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def say(text: str) -> None:
    """Writes lines at once, above the bar if there is one. A terminal or pipe that is gone ends no run: the lines go nowhere."""
    try:
        tqdm.write(text)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(text: str) -> None:
    """Writes to standard error, past all buffers, so that handlers of signals may do so; on a terminal below the bar."""
    lead = "\n" if os.isatty(2) else ""
    with suppress(OSError):
        os.write(2, f"{lead}{text}\n".encode(errors="backslashreplace"))


def printable(text: str) -> str:
    """The text with escapes for control characters, ends of lines, and bytes that are no UTF-8."""
    return "".join(each.encode("unicode_escape").decode() if category(each) in UNPRINTABLE else each for each in text)


def tell_count(number: int, thing: str, things: str | None = None) -> str:
    """Such as `1 picture` and `2,000 pictures`."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def tell_duration(seconds: float) -> str:
    """Such as `40 s`, `12 min`, `3 h 20 min` and `2 d 4 h`."""
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds / MINUTE)} min"
    if seconds < 2 * DAY:
        return f"{int(seconds / HOUR)} h {int(seconds % HOUR / MINUTE)} min"
    return f"{int(seconds / DAY)} d {int(seconds % DAY / HOUR)} h"


def tell_time(moment: float) -> str:
    """Local time of a moment, with its day unless that is today."""
    then = time.localtime(moment)
    is_today = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M", then)
