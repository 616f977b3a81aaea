"""What is allowed about a directory of pictures, but may not be meant."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from nextscale_train.data.listing import Listing
from nextscale_train.telling import printable, tell_count

KINDS = 5
"""Suffixes that are named."""


def list_notices(listing: Listing, sizes: Mapping[Path, tuple[int, int]], resolution: int) -> list[str]:
    """A sentence each."""
    found = (tell_others(listing), tell_strays(listing), tell_depth(listing), tell_one_class(listing))
    return [notice for notice in (*found, tell_small(listing.root, sizes, resolution)) if notice is not None]


def tell_others(listing: Listing) -> str | None:
    others: Counter[str] = Counter()
    for found in listing.classes.values():
        others.update(found.others)
    if not others:
        return None
    kinds = ", ".join(f"{count:,} {suffix or 'without a suffix'}" for suffix, count in others.most_common(KINDS))
    return f"Files that are no pictures are left out: {printable(kinds)}{', ...' if len(others) > KINDS else ''}."


def tell_strays(listing: Listing) -> str | None:
    strays = listing.top.pictures
    if not strays:
        return None
    many = tell_count(len(strays), "picture")
    return f"Left out, as they lie beside the folders of the classes: {many}, such as {printable(strays[0].name)}."


def tell_depth(listing: Listing) -> str | None:
    """Whether no picture lies directly in the folder of its class."""
    inside = [path.relative_to(listing.root) for path in listing.pictures]
    if not inside or any(len(path.parts) < 3 for path in inside):
        return None
    first, second = inside[0].parts[:2]
    return printable(
        f"No picture lies directly in the folder of its class, as {inside[0]}, which counts as {first}: "
        f"if it should count as {second}, data.path is one folder too high."
    )


def tell_one_class(listing: Listing) -> str | None:
    return f"There is one class only: {next(iter(listing.classes))}." if len(listing.classes) == 1 else None


def tell_small(root: Path, sizes: Mapping[Path, tuple[int, int]], resolution: int) -> str | None:
    small = {path: size for path, size in sizes.items() if min(size) < resolution}
    if not small:
        return None
    path, (width, height) = min(small.items(), key=lambda item: min(item[1]))
    name = printable(str(path.relative_to(root)))
    return f"Enlarged to {resolution} px: {tell_count(len(small), 'picture')}; {name} has {width} x {height}."
