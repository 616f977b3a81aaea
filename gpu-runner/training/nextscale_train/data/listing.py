"""Which files of a directory are pictures, and of which class."""

import os
import stat
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nextscale_train.data.reading import SUFFIXES, PictureError
from nextscale_train.errors import CommandError
from nextscale_train.telling import printable

OF_SYSTEMS = {"$recycle.bin", "@eadir", "__macosx", "desktop.ini", "lost+found", "system volume information", "thumbs.db"}
"""What operating systems and archives put among other files without being asked."""

Identity = tuple[int, int]
"""Device and inode: the same for every path that leads to a directory."""


@dataclass
class Found:
    """What lies below a directory."""

    pictures: list[Path] = field(default_factory=list)
    faults: list[PictureError] = field(default_factory=list)
    """What should be a picture, or hold some, and cannot be opened."""
    others: Counter[str] = field(default_factory=Counter)
    """Files that are no pictures, by their suffixes."""


@dataclass(frozen=True)
class Listing:
    """A directory whose sub-folders are classes."""

    root: Path
    top: Found
    """What lies in it directly."""
    classes: dict[str, Found]
    """In order of the folders' names."""

    @property
    def pictures(self) -> list[Path]:
        return [path for found in self.classes.values() for path in found.pictures]

    @property
    def faults(self) -> list[PictureError]:
        return [*self.top.faults, *(fault for found in self.classes.values() for fault in found.faults)]


def list_classes(root: Path, apart: Path | None = None) -> Listing:
    """Pictures of each class. A class is called as its folder in composed Unicode, which is what keyboards write. `apart` is a
    directory that is none, wherever it lies.

    Raises:
        CommandError: there is no such directory or no class, or the name of a folder cannot be that of a class.
    """
    try:
        if not root.is_dir():
            raise CommandError(f"data.path: {root} is not a directory.")
        real = root.resolve()
        around = frozenset(identify(each.stat()) for each in (real, *real.parents))
        unseen = frozenset() if apart is None or not apart.exists() else frozenset([identify(apart.stat())])
    except OSError as error:
        raise CommandError(f"data.path: {root} cannot be opened ({error.strerror}).") from error
    top = Found()
    folders = sorted(open_folder(root, top, set(unseen), around))
    if not folders:
        reason = top.faults[0].entry if top.faults else f"{root} has no sub-folders: put the pictures of each class into one"
        raise CommandError(f"data.path: {reason}.")
    classes: dict[str, Found] = {}
    for folder in folders:
        name = unicodedata.normalize("NFC", folder.name)
        if printable(name) != name:
            raise CommandError(f"data.path: the folder {printable(name)} has a name that cannot be written: rename it.")
        if name in classes:
            raise CommandError(f"data.path: {root} has two folders that are called {name}: rename one.")
        classes[name] = list_pictures(folder, around, unseen)
    return Listing(root, top, classes)


def list_pictures(folder: Path, around: frozenset[Identity] = frozenset(), unseen: frozenset[Identity] = frozenset()) -> Found:
    """Pictures below a directory, in order of their names. What is hidden or one of `unseen` is not seen; links are followed, but
    to each directory once, and not back to one of `around`.
    """
    found = Found()
    seen = set(unseen)
    folders = [folder]
    while folders:
        folders += open_folder(folders.pop(), found, seen, around)
    found.pictures.sort()
    found.faults.sort(key=lambda fault: fault.path)
    return found


def open_folder(folder: Path, found: Found, seen: set[Identity], around: frozenset[Identity]) -> list[Path]:
    """Sorts what lies in a directory into `found`, unless it is one of `seen`; returns its sub-folders, links first."""
    try:
        identity = identify(folder.stat())
        if identity in seen:
            return []
        seen.add(identity)
        with os.scandir(folder) as entries:
            visible = sorted(filter(is_visible, entries), key=lambda entry: (not entry.is_symlink(), entry.name))
    except OSError as error:
        found.faults.append(PictureError(folder, f"{error.strerror}".lower()))
        return []
    return [Path(entry.path) for entry in visible if is_folder(entry, found, around) and identify(entry.stat()) not in seen]


def is_visible(entry: "os.DirEntry[str]") -> bool:
    return not entry.name.startswith(".") and entry.name.lower() not in OF_SYSTEMS


def is_folder(entry: "os.DirEntry[str]", found: Found, around: frozenset[Identity]) -> bool:
    """Whether it is a directory to go into; all else is sorted into `found`."""
    path = Path(entry.path)
    suffix = path.suffix.lower()
    try:
        status = entry.stat()
    except OSError as error:
        if suffix in SUFFIXES or suffix == "":
            reason = f"{error.strerror}".lower()
            found.faults.append(PictureError(path, f"a link that leads nowhere: {reason}" if entry.is_symlink() else reason))
        return False
    if stat.S_ISDIR(status.st_mode):
        if identify(status) not in around:
            return True
        found.faults.append(PictureError(path, "it is a link back to a directory that it lies in"))
    elif suffix not in SUFFIXES:
        found.others[suffix] += 1
    elif not stat.S_ISREG(status.st_mode):
        found.faults.append(PictureError(path, "it is no regular file"))
    else:
        found.pictures.append(path)
    return False


def identify(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino
