"""A look at all pictures before any is needed: what cannot be read is found in minutes, not in the middle of a run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL
from torch.utils.data import Dataset
from tqdm import tqdm

from nextscale_train.data.readers import reading
from nextscale_train.data.reading import PictureError, open_rgb
from nextscale_train.files import replacing
from nextscale_train.telling import say, tell_count
from nextscale_train.training.processes import Processes

BATCH = 8
RULES = 1
"""Changes with what is read and how, so that pictures are looked at anew."""

Sight = tuple[int, int, int, int]
"""Of a picture that can be read: bytes and time of change of its file, width and height."""


@dataclass(frozen=True)
class Look:
    """What a look at pictures found."""

    sizes: dict[Path, tuple[int, int]]
    """Width and height of those that can be read."""
    faults: list[PictureError]


class Sights(Dataset[Sight]):
    """Pictures decoded to their end."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def __getitem__(self, index: int) -> Sight:
        path = self._files[index]
        # First, so that a file that is written to while it is read counts as changed.
        size, changed = identify(path)
        return size, changed, *open_rgb(path).size


def identify(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise PictureError(path, f"{error.strerror}".lower()) from error
    return status.st_size, status.st_mtime_ns


def look_at(files: Sequence[Path], workers: int, processes: Processes, memory: Path | None = None) -> Look:
    """Looks at every picture, each process at its part. What could be read is kept in the file `memory`, and not looked at again
    until its size or time changes.

    Raises:
        ReaderError: a process that reads pictures is lost.
    """
    known = {} if memory is None else recall(memory)
    sights: dict[Path, Sight] = {}
    faults: list[PictureError] = []
    try:
        for path, seen in look(files[processes.rank :: processes.count], known, workers, speaks=processes.is_first):
            if isinstance(seen, PictureError):
                faults.append(seen)
            else:
                sights[path] = seen
    except BaseException:
        if memory is not None and processes.is_first:
            remember(memory, {**known, **by_name(sights)})
        raise
    parts = processes.gather((sights, faults))
    together = {path: sight for of_process, _ in parts for path, sight in of_process.items()}
    if memory is not None and processes.is_first:
        remember(memory, by_name(together))
    sizes = {path: (width, height) for path, (_, _, width, height) in together.items()}
    return Look(sizes, [fault for _, found in parts for fault in found])


def look(
    files: Sequence[Path], known: Mapping[str, Sight], workers: int, *, speaks: bool
) -> Iterator[tuple[Path, Sight | PictureError]]:
    """Each file with what is known of it, or else what a look finds."""
    new = []
    for path in files:
        sight = known.get(str(path))
        if sight is not None and is_unchanged(path, sight):
            yield path, sight
        else:
            new.append(path)
    if not new:
        return
    if speaks:
        say(f"Looking at {tell_count(len(new), 'picture')} not seen before.")
    places = [range(start, min(start + BATCH, len(new))) for start in range(0, len(new), BATCH)]
    hidden = None if speaks else True
    with (
        tqdm(total=len(new), desc="looking at pictures", unit="picture", disable=hidden, dynamic_ncols=True) as bar,
        reading(Sights(new), places, workers, collate=list) as read,
    ):
        for place, seen in zip(places, read, strict=True):
            yield from zip(new[place.start : place.stop], seen, strict=True)
            bar.update(len(place))


def by_name(sights: Mapping[Path, Sight]) -> dict[str, Sight]:
    return {str(path): sight for path, sight in sights.items()}


def is_unchanged(path: Path, sight: Sight) -> bool:
    try:
        return identify(path) == sight[:2]
    except PictureError:
        return False


def recall(memory: Path) -> dict[str, Sight]:
    """What was kept; nothing where that is damaged or of other rules."""
    try:
        kept: dict[str, Any] = json.loads(memory.read_bytes())
        if kept["made_with"] != made_with():
            return {}
        return {path: (size, changed, width, height) for path, (size, changed, width, height) in kept["pictures"].items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}


def remember(memory: Path, sights: Mapping[str, Sight]) -> None:
    # A look that cannot be kept is only had again.
    with suppress(OSError), replacing(memory) as partial:
        partial.write_text(json.dumps({"made_with": made_with(), "pictures": sights}))


def made_with() -> list[object]:
    return [RULES, PIL.__version__]
