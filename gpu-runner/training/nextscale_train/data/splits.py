"""The pictures of a run, in the part that is trained on and the part that is not."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nextscale_train.config import Config, DataSection
from nextscale_train.data.emoji import EmojiPictures
from nextscale_train.data.folder import FolderPictures
from nextscale_train.data.listing import Listing, list_classes, list_pictures
from nextscale_train.data.look import Look, look_at
from nextscale_train.data.notices import list_notices
from nextscale_train.data.pictures import Pictures
from nextscale_train.data.reading import PictureError
from nextscale_train.errors import CommandError
from nextscale_train.run_folder import RunFolder
from nextscale_train.telling import say, tell_count, warn
from nextscale_train.training.processes import Processes

HELD_OUT_EMOJI = 3_000
SHOWN = 50
"""Pictures that cannot be read and are named on the terminal."""


@dataclass(frozen=True)
class Splits:
    """Pictures to train on, and those that only evaluation sees; None where the configuration keeps none."""

    train: Pictures
    held_out: Pictures | None


def open_pictures(config: Config, processes: Processes) -> Splits:
    """The pictures of a run, all of which can be read.

    Raises:
        CommandError: the font or the pictures are missing, or some cannot be read.
    """
    data, resolution = config.data, config.tokenizer.sizes().resolution
    if data.kind == "emoji":
        return Splits(
            EmojiPictures(data.pictures, resolution, seed=data.seed, split="train"),
            EmojiPictures(min(HELD_OUT_EMOJI, data.pictures), resolution, seed=data.seed, split="held_out"),
        )
    assert data.path is not None
    folder = RunFolder(config.run.folder)
    listing = list_classes(data.path, apart=folder.root)
    look = look_at(listing.pictures, config.run.workers, processes, folder.pictures)
    settle_faults([*listing.faults, *look.faults], len(look.sizes), data, folder, speaks=processes.is_first)
    train, held_out = split(listing, look, data.held_out)
    if processes.is_first:
        for notice in list_notices(listing, look.sizes, resolution):
            say(notice)
        pictures, classes = tell_count(len(look.sizes), "picture"), tell_count(len(listing.classes), "class", "classes")
        say(f"{pictures} of {classes}, {len(held_out):,} held out.")

    def of(files: Sequence[tuple[Path, int]]) -> Pictures:
        names = tuple(listing.classes)
        return FolderPictures(files, names, resolution, flip=data.flip, seed=data.seed, skips=data.skip_unreadable)

    return Splits(of(train), of(held_out) if data.has_held_out else None)


def open_reference(folder: Path, config: Config, processes: Processes) -> Pictures:
    """Every picture below a folder, of one class.

    Raises:
        CommandError: there are fewer than two, or some cannot be read.
    """
    found, data = list_pictures(folder), config.data
    look = look_at(found.pictures, config.run.workers, processes)
    settle_faults([*found.faults, *look.faults], len(look.sizes), data, RunFolder(config.run.folder), speaks=processes.is_first)
    files = [(path, 0) for path in found.pictures if path in look.sizes]
    if len(files) < 2:
        raise CommandError(f"--reference {folder} has {len(files)} pictures: at least 2 are needed.")
    return FolderPictures(files, ("",), config.tokenizer.sizes().resolution, flip=False, seed=0, skips=data.skip_unreadable)


def settle_faults(faults: Sequence[PictureError], readable: int, data: DataSection, folder: RunFolder, *, speaks: bool) -> None:
    """Tells which pictures are skipped.

    Raises:
        CommandError: they are not to be skipped.
    """
    if speaks:
        folder.unreadable.unlink(missing_ok=True)
    if not faults:
        return
    faults = sorted(faults, key=lambda fault: fault.path)
    lines = [f"{len(faults):,} of {len(faults) + readable:,} pictures cannot be read:"]
    lines += [f"  {fault.entry}" for fault in faults[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(f"  and {len(faults) - SHOWN:,} more: all are named in {folder.unreadable}")
        if speaks:
            folder.unreadable.write_text("".join(f"{fault.entry}\n" for fault in faults), encoding="utf-8")
    if not data.skip_unreadable:
        advice = "Repair or remove them, or set data.skip_unreadable = true to go on without them."
        raise CommandError("\n".join([*lines, advice]))
    if speaks:
        warn("\n".join([*lines, "They are skipped."]))


Labelled = list[tuple[Path, int]]


def split(listing: Listing, look: Look, share: float) -> tuple[Labelled, Labelled]:
    """Readable pictures with their labels: those to train on, and those that are held out.

    Raises:
        CommandError: a class has none, or none to train on, or none at all are held out.
    """
    train: Labelled = []
    held_out: Labelled = []
    empty, untrained = [], []
    for label, (name, found) in enumerate(listing.classes.items()):
        readable = [path for path in found.pictures if path in look.sizes]
        kept = [path for path in readable if not is_held_out(path.relative_to(listing.root), share)]
        known = set(kept)
        train += [(path, label) for path in kept]
        held_out += [(path, label) for path in readable if path not in known]
        if not readable:
            empty.append(name)
        elif not kept:
            untrained.append(name)
    if empty:
        raise CommandError(f"data.path: add pictures to these folders of {listing.root}, or remove them: {', '.join(empty)}.")
    if untrained:
        names = ", ".join(untrained)
        raise CommandError(f"data.held_out: no picture is left to train on of {names}: add pictures, or lower data.held_out.")
    if share > 0 and not held_out:
        raise CommandError(f"data.held_out: no picture of {listing.root} is held out: add pictures, or raise data.held_out.")
    return train, held_out


def is_held_out(path: Path, share: float) -> bool:
    """Whether a picture is kept from training. By the hash of its name, so that more pictures change nothing for the others."""
    name = os.fsencode(path.as_posix())
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big") < share * 2**64
